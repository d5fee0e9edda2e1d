"""Publish a folder as a release: checked here, sent, checked again by the registry.

Of large files only those parts are sent that the registry lacks; what a broken attempt has sent
already is not sent again. A version can be published once only, and must be as large a step as the
changes since the release before ask for. What the scanner finds on no list is held back for the
registry's operator to decide (exit code 8): publish again to ask.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.cases import case_lines
from modelshelf.cli.options import (
    add_consent,
    add_limit_rate,
    add_registry,
    registry_of,
    surroundings,
)
from modelshelf.cli.output import Output, problem_lines, size, size_of
from modelshelf.package.elements import LEVELS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, and what to check or ask."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--level", choices=LEVELS, default="minimal", help="default: minimal")
    parser.add_argument("--dry-run", action="store_true", help="check and hash, send nothing")
    parser.add_argument(
        "--override-level",
        metavar="REASON",
        help="why the version may be lower than the changes ask for; everyone sees it",
    )
    add_consent(parser, "also run golden cases in formats that carry code")
    add_limit_rate(parser)
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Check, send, commit."""
    import msgspec

    from modelshelf.client.publish import prepare, publish

    registry, settings = registry_of(arguments)
    upload = prepare(
        arguments.folder,
        arguments.level,
        surroundings(registry, output),
        override=arguments.override_level,
        consent=arguments.allow_pickle,
    )
    for problem in upload.told:
        output.note("\n".join(problem_lines(problem, output.paint)))
    for line in case_lines(upload.ran, output):
        output.note(line)
    package = upload.record.package
    name = f"{package.name} {package.version}"
    if arguments.dry_run:
        files = {path: each._asdict() for path, each in upload.files.items()}
        output.result(
            {
                "name": package.name,
                "version": package.version,
                "files": files,
                "golden": upload.ran,
            },
            f"Would publish {name}: {len(files)} files, {size(upload.size)}.",
        )
        return
    with output.progress(upload.size, f"publishing {name}") as progress:
        entry, sent = publish(upload, registry, settings, progress)
    step = f", a {entry.change.level} step from {entry.change.previous}" if entry.change else ""
    output.result(
        msgspec.to_builtins(entry) | {"bytes": upload.size, "bytes_sent": sent},
        f"Published {name}: {len(entry.files)} files, release {entry.number}{step}; "
        f"sent {size_of(sent, upload.size)}.\n"
        f"  {registry.url}/{package.name}/{package.version}",
    )
