"""Add packages to shelf.toml and install them.

NAME alone means its newest release and what may follow it; NAME@RANGE[CONDITIONS] says more:
'acme/mobilenet@^2[width<=0.5,format=tflite]'.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.change import add_options, change
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, what of them, and where from."""
    parser.add_argument("packages", nargs="+", metavar="NAME[@RANGE]")
    add_options(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Add what is named to what is wanted, then make the shelf answer it."""
    change(arguments, output, add=arguments.packages)
