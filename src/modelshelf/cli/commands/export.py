"""Write what the shelf holds for other tools: requirements, pylock, cyclonedx or spdx.

Nothing is fetched from a registry. Only `pylock` asks pip's own indexes, for versions and hashes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the export, where to write it, which environment."""
    parser.add_argument("format", metavar="FORMAT", help="requirements, pylock, cyclonedx, spdx")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--environment", metavar="NAME", help="one of shelf.lock's (default: this machine's)"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Write the file, or show it."""
    from modelshelf.client.exports import contents, find
    from modelshelf.client.shelf import Shelf

    export = find(arguments.format)
    shelf = Shelf.find()
    lock = shelf.lock().of(arguments.environment) if arguments.environment else shelf.held()
    text = export.write(contents(shelf, lock))
    value = {"format": export.name, "file": export.file, "packages": len(lock.packages)}
    if arguments.output is None:
        output.result({**value, "text": text}, text)
        return
    arguments.output.write_text(text, encoding="utf-8", newline="\n")
    output.result(
        {**value, "output": str(arguments.output)},
        f"Wrote {export.description} to {arguments.output}.",
    )
