"""Publish a folder as a release: checked here, sent, checked again by the registry.

What a broken attempt has sent already is not sent again. A version can be published once only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output, size
from modelshelf.package.elements import LEVELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, and what to check or ask."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--level", choices=LEVELS, default="minimal", help="default: minimal")
    parser.add_argument("--dry-run", action="store_true", help="check and hash, send nothing")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Check, send, commit."""
    from modelshelf.client.publish import prepare, publish

    upload = prepare(arguments.folder, arguments.level)
    package = upload.record.package
    name = f"{package.name} {package.version}"
    if arguments.dry_run:
        files = {path: each._asdict() for path, each in upload.files.items()}
        output.result(
            {"name": package.name, "version": package.version, "files": files},
            f"Would publish {name}: {len(files)} files, {size(upload.size)}.",
        )
        return
    registry, settings = registry_of(arguments)
    with output.progress(upload.size, f"publishing {name}") as progress:
        entry = publish(upload, registry, settings, progress)
    output.result(
        entry,
        f"Published {name}: {len(entry.files)} files, {size(upload.size)}, release {entry.number}.\n"
        f"  {registry.url}/{package.name}/{package.version}",
    )
