"""Steps from one release to another as text: what may break, what moved, metrics, license, size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelshelf.checks.notes import MetricChange
from modelshelf.cli.output import Output, size
from modelshelf.client.step import LicenseChange, Step

most_lines = 6
"""So many lines of a release's notes are shown; the rest is on its page."""
_COLOURS = {"major": "red", "minor": "yellow", "patch": "green", None: "dim"}


def steps_text(steps: Sequence[Step], output: Output) -> str:
    """Every step, one below the other."""
    return "\n".join(line for each in steps for line in _lines(each, output))


def _lines(found: Step, output: Output) -> Iterator[str]:
    to = found.after if found.package == found.name else f"{found.package} {found.after}"
    told = [output.paint(found.level or "back", _COLOURS[found.level])]
    told += [f"moved: {', '.join(found.axes)}"] if found.axes else []
    told += ["unverified"] if found.unverified else []
    title = output.paint(f"{found.name} {found.before} -> {to}", "bold")
    yield f"{output.paint('~', 'yellow')} {title} ({'; '.join(told)})"
    if found.metrics:
        yield f"  metrics: {metrics_text(found.metrics, output)}"
    if found.license_change:
        yield f"  license: {license_text(found.license_change, output)}"
    before, after = found.bytes
    yield f"  size: {size(before)} -> {size(after)}, to fetch: {size(found.bytes_to_fetch)}"
    for each in found.notes:
        lines = [line for line in each.text.strip().splitlines() if line.strip()]
        cut = ["…"] if len(lines) > most_lines else []
        yield f"  {each.version}:"
        yield from (f"    {line}" for line in [*lines[:most_lines], *cut])


def metrics_text(metrics: Sequence[MetricChange], output: Output) -> str:
    """`small accuracy 0.98 -> 0.97 (worse)`; those that did not move are left out where others did."""
    moved = [each for each in metrics if each.better is not None]
    told = []
    for each in moved or metrics[:1]:
        what = f"{each.variant} {each.name} {_number(each.old)} -> {_number(each.new)}"
        better = {True: ("better", "green"), False: ("worse", "red"), None: ("same", "dim")}
        word, colour = better[each.better]
        told.append(f"{what} ({output.paint(word, colour)})")
    return ", ".join(told)


def license_text(change: LicenseChange, output: Output) -> str:
    """`MIT -> GPL-3.0-only (allows less)`."""
    text = f"{change.before or 'none'} -> {change.after or 'none'}"
    return f"{text} ({output.paint('allows less', 'red')})" if change.narrowed else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
