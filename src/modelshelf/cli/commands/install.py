"""Install packages, or everything that shelf.toml asks for.

With NAME or NAME@RANGE the package is added to shelf.toml (made here if there is none); its
default variant is installed unless --variant names others.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.change import change
from modelshelf.cli.options import add_choice, add_registry
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, what of them, and where from."""
    parser.add_argument("packages", nargs="*", metavar="NAME[@RANGE]")
    add_choice(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Add what is named to what is wanted, then make the shelf answer it."""
    change(arguments, output, add=arguments.packages)
