"""Write a first shelf.toml for a folder of model files.

Looks inside the models (no framework needed, no code run) and fills in what they say.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package's name, and the folder."""
    parser.add_argument("name", help="publisher/name of the package")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Write the draft and tell what is next."""
    from modelshelf.client import init
    from modelshelf.package import name

    name.parse(arguments.name)
    path = init.write(arguments.folder, init.drafted(arguments.folder, arguments.name))
    output.result(
        {"written": str(path)},
        f"Wrote {path}. Complete it, then run: shelf check {arguments.folder}",
    )
