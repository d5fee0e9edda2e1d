"""Remove packages, and what nothing else needs any more."""

from __future__ import annotations

import argparse

from modelshelf.cli.change import change
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages."""
    parser.add_argument("packages", nargs="+", metavar="NAME")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    parser.add_argument("--allow-pickle", action="store_true", help=argparse.SUPPRESS)
    add_place(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Take the names out of what is wanted, then make the shelf answer it."""
    change(arguments, output, drop=arguments.packages)
