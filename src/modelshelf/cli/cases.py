"""Golden cases on the screen: which were run in which runtime, and which were not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelshelf.cli.output import Output

if TYPE_CHECKING:
    from modelshelf.serve.golden import Outcome


def case_lines(ran: Sequence[Outcome], output: Output) -> list[str]:
    """A table of the cases that were run, and a line for each reason why others were not."""
    rows = [
        (each.case, each.variant, each.format, each.runtime or "", _found(each))
        for each in ran
        if each.agrees is not None
    ]
    heads = ("golden case", "variant", "format", "runtime", "outcome")
    lines = output.table(heads, rows).splitlines()
    reasons: dict[str, list[str]] = {}
    for each in ran:
        if each.agrees is None:
            name = f"{each.case} in {each.variant} ({each.format})"
            reasons.setdefault(each.why or "", []).append(name)
    return [*lines, *(f"Not run: {', '.join(names)}: {why}." for why, names in reasons.items())]


def _found(outcome: Outcome) -> str:
    if outcome.worst is None:
        return "agrees" if outcome.agrees else "differs"
    return f"{'agrees' if outcome.agrees else 'differs'} (worst {outcome.worst:.3g})"
