"""Move installed packages to the newest releases that shelf.toml allows.

--major goes beyond the range, to the newest release, and changes shelf.toml.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.change import change
from modelshelf.cli.options import add_registry
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, and how far."""
    parser.add_argument("packages", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--major", action="store_true", help="also to releases that may break")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    parser.add_argument("--allow-pickle", action="store_true", help="consent to code in formats")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Forget the locked versions of what is named, then make the shelf answer what is wanted."""
    change(arguments, output, upgrade=arguments.packages or None, upgrade_all=True)
