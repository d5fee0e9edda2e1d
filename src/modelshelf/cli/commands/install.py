"""Install packages, or everything that shelf.toml asks for.

With NAME, NAME@RANGE or NAME@RANGE[CONDITIONS] the package is added to shelf.toml (made here if
there is none); its default variant is installed unless --variant or conditions name others.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.change import change
from modelshelf.cli.options import add_choice
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_consent, add_network, add_place, add_resolution


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, what of them, and where from."""
    parser.add_argument("packages", nargs="*", metavar="NAME[@RANGE]")
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What of the packages, where from, and whether in earnest."""
    add_choice(parser)
    add_consent(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_place(parser)
    add_resolution(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Add what is named to what is wanted, then make the shelf answer it."""
    change(arguments, output, add=arguments.packages)
