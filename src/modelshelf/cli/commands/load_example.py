"""Print a Python program that loads an installed package and runs it once.

shelf load-example acme/digits | python -
"""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package and which of its models."""
    parser.add_argument("package", help="NAME of an installed package")
    parser.add_argument("--variant", metavar="NAME")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print the program."""
    from modelshelf.client.example import example

    text = example(arguments.package, arguments.variant)
    output.result({"python": text}, text)
