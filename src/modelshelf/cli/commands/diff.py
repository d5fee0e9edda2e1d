"""Show what changed from one release to another, and whether callers may break.

A and B are NAME@VERSION, NAME for its newest release, or folders with a shelf.toml. With one of
them (default: the folder here) the release before it is the other side.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.comparing import comparison_text
from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the two sides."""
    parser.add_argument("old", nargs="?", default=".", metavar="A", help="default: here")
    parser.add_argument("new", nargs="?", metavar="B")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit code 1 where anything changed"
    )
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Compare and show."""
    from modelshelf.checks.compared import compare
    from modelshelf.client.compare import pair

    registry, _ = registry_of(arguments)
    found = compare(*pair(registry, arguments.old, arguments.new))
    output.result(found, comparison_text(found, output))
    return int(arguments.exit_code and bool(found.diff.findings))
