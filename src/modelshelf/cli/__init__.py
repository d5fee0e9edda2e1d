"""The command line: finds a command by its file name, runs it, prints what it gives.

A command is a module in `commands/` (`load_example.py` is `shelf load-example`): its docstring's
first line is its help, `configure` adds its arguments, `run` parses nothing, calls one operation
and prints through `output.Output`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # nothing here may import what the warm no-op does not need
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `shelf` with `arguments` (default: those of the process); gives the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["install"], ["sync"]):
        from modelshelf.cli.warm import answered

        if answered(given[1:]):
            return 0
    if not given or given[0].startswith("-"):
        from modelshelf.cli.overview import answer

        if text := answer(given[0] if given else None):
            sys.stdout.write(text)
            return 0 if given else 2
    from modelshelf.cli.dispatch import dispatch

    return dispatch(given)
