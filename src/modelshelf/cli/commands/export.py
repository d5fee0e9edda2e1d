"""Write what the shelf holds for other tools: requirements, pylock, cyclonedx or spdx.

Nothing is fetched from a registry. Only `pylock` asks pip's own indexes, for versions and hashes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.options import is_offline
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_place, held_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the export, where to write it, which shelf."""
    parser.add_argument("format", metavar="FORMAT", help="requirements, pylock, cyclonedx, spdx")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--offline", action="store_true", help="pylock: ask no index of pip's")
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Write the file, or show it."""
    from modelshelf.client.exports import contents, find

    export = find(arguments.format)
    held = contents(*held_of(arguments))
    offline = is_offline(arguments)
    text = export.write(held._replace(offline=offline))
    value = {"format": export.name, "file": export.file, "packages": len(held.held)}
    if arguments.output is None:
        output.result({**value, "text": text}, text)
        return
    arguments.output.write_text(text, encoding="utf-8", newline="\n")
    told = f"Wrote {arguments.output}: {export.description}."
    output.result({**value, "output": str(arguments.output)}, told)
