"""Install packages, or everything that shelf.toml asks for.

With NAME, NAME@RANGE or NAME@RANGE[CONDITIONS] the package is added to shelf.toml (made here if
there is none); its default variant is installed unless --variant or conditions name others.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.change import add_options, change
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, what of them, and where from."""
    parser.add_argument("packages", nargs="*", metavar="NAME[@RANGE]")
    add_options(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Add what is named to what is wanted, then make the shelf answer it."""
    change(arguments, output, add=arguments.packages)
