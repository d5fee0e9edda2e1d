"""Measure what one call of a model takes: multiply-accumulates and memory.

Runs each model of a folder once, with its golden inputs, in a process of its own. With --write the
figures go into shelf.toml, with the tool, its version and the inputs that they were taken with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output, size


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, which of its models, whether to write."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--variant", metavar="NAME", help="default: all")
    parser.add_argument("--write", action="store_true", help="write the figures into shelf.toml")
    parser.add_argument(
        "--allow-pickle", action="store_true", help="also run formats that carry code"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Measure, show, write."""
    import msgspec

    from modelshelf.client.measure import described, measured, write

    folder = arguments.folder
    taken = []
    for each in measured(
        folder, described(folder), arguments.variant, consent=arguments.allow_pickle
    ):
        output.note(f"{each.variant} ({each.format}): {each.why or 'measured'}")
        taken.append(each)
    if arguments.write:
        write(folder, taken)
    rows = [
        (each.variant, each.format, f"{each.cost.macs or 0:,}", size(each.cost.peak_memory or 0),
         each.cost.tool)
        for each in taken
        if each.cost
    ]  # fmt: skip
    heads = ("variant", "format", "MACs", "memory", "measured with")
    output.result(
        {"measured": [msgspec.to_builtins(each._asdict()) for each in taken]},
        output.table(heads, rows) or "Nothing could be measured.",
    )
