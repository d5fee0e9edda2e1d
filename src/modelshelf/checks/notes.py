"""Release notes drafted from a diff: what moved, what callers must do, metrics and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Diff, Finding
from modelshelf.checks.matched import by_kind
from modelshelf.package.record import Metric, Variant

ROW_COUNT = 200
"""How many rows of a table, or points of a list, are drafted at most."""


class MetricChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric of a variant before and after; None where the release does not state it.

    `better` is None where a side is missing or the values are equal.
    """

    variant: str
    name: str
    old: float | None = None
    new: float | None = None
    dataset: str | None = None
    split: str | None = None
    better: bool | None = None


class SizeChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """The bytes of a variant in one format and precision; None where it is not offered so."""

    variant: str
    format: str
    precision: str | None = None
    old: int | None = None
    new: int | None = None


def metric_changes(old: tuple[Variant, ...], new: tuple[Variant, ...]) -> tuple[MetricChange, ...]:
    """Every metric that the variants of either release state, in the new one's order first."""
    return tuple(
        _metric(name, before.get(key), after.get(key))
        for name, was, now in _variants(old, new)
        for before, after in [(_metrics(was), _metrics(now))]
        for key in dict.fromkeys((*after, *before))
    )


def size_changes(old: Contract, new: Contract) -> tuple[SizeChange, ...]:
    """The size of every artifact that either release offers; the first of each kind counts."""
    return tuple(
        SizeChange(name, *kind, before.get(kind), after.get(kind))
        for name, was, now in _variants(old.record.variants, new.record.variants)
        for before, after in [(_sizes(old, was), _sizes(new, now))]
        for kind in dict.fromkeys((*after, *before))
    )


def release_notes(diff: Diff, old: Contract, new: Contract) -> str:
    """A draft in Markdown for the publisher to edit; `diff` is that of the two contracts."""
    parts = [f"# {diff.name} {diff.new}", _headline(diff)]
    parts += _section(
        "What callers must do", [_duty(each) for each in diff.findings if each.advice]
    )
    plain = [each for each in diff.findings if not each.advice]
    for title, level in (("What is new", "minor"), ("Also changed", "patch")):
        told = [_point(each) for each in plain if each.level == level and not _in_a_table(each)]
        parts += _section(title, told)
    parts += _generation(old, new)
    parts += _table("Metrics", _metric_heads(diff), _metric_rows(old, new))
    parts += _table("Sizes", ("variant", "format", diff.old, diff.new), _size_rows(old, new))
    return "\n\n".join(parts) + "\n"


def _variants(
    old: tuple[Variant, ...], new: tuple[Variant, ...]
) -> Iterator[tuple[str, Variant | None, Variant | None]]:
    """Each variant's name with the variant before and after."""
    before, after = ({each.name: each for each in side} for side in (old, new))
    for name in dict.fromkeys((*after, *before)):
        yield name, before.get(name), after.get(name)


def _metrics(variant: Variant | None) -> dict[tuple[str, str | None, str | None], Metric]:
    metrics = variant.metrics if variant else ()
    return {(each.name, each.dataset, each.split): each for each in metrics}


def _metric(variant: str, old: Metric | None, new: Metric | None) -> MetricChange:
    told = new or old
    assert told is not None
    better = None
    if old and new and old.value != new.value:
        better = (new.value < old.value) is new.lower_is_better
    return MetricChange(
        variant=variant,
        name=told.name,
        old=old.value if old else None,
        new=new.value if new else None,
        dataset=told.dataset,
        split=told.split,
        better=better,
    )


def _sizes(contract: Contract, variant: Variant | None) -> dict[tuple[str, str | None], int]:
    """Bytes by format and precision, of artifacts whose files are all there."""
    found = {}
    for kind, (first, *_) in (by_kind(contract, variant) if variant else {}).items():
        sizes = [contract.files[path].size for path in first.files if path in contract.files]
        if first.files and len(sizes) == len(first.files):
            found[kind] = sum(sizes)
    return found


def _headline(diff: Diff) -> str:
    moved = f"; moved: {', '.join(diff.axes)}" if diff.axes else ""
    lines = [f"A **{diff.level}** change after {diff.old}{moved}."]
    if not diff.findings:
        lines.append("Nothing changed that callers can rely on.")
    if diff.unverified:
        lines.append(
            "**Unverified**: weights changed, and no golden case shows how the models behave now."
        )
    return "\n".join(lines)


def _section(title: str, points: Sequence[str]) -> list[str]:
    return [f"## {title}", "\n".join(points[:ROW_COUNT])] if points else []


def _point(finding: Finding) -> str:
    return f"* {_sentence(finding.message)}"


def _duty(finding: Finding) -> str:
    weight = "**Breaking**: " if finding.level == "major" else ""
    witness = f" Until now: `{_code(finding.witness)}`." if finding.witness else ""
    return f"* {weight}{_sentence(finding.message)} {finding.advice}{witness}"


def _sentence(text: str) -> str:
    """One line with a capital and a full stop."""
    line = " ".join(text.split())
    return f"{line[:1].upper()}{line[1:]}."


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")


def _in_a_table(finding: Finding) -> bool:
    return finding.lint in ("metric-improved", "metric-slipped", "metric-added")


def _generation(old: Contract, new: Contract) -> list[str]:
    """Algorithm, data and license, where they are others than before."""
    before, after = old.record.package, new.record.package
    told = [
        (word, one, other)
        for word, one, other in (
            ("Algorithm", before.algorithm, after.algorithm),
            ("Training data", ", ".join(before.datasets), ", ".join(after.datasets)),
            ("License", before.license, after.license),
        )
        if one != other
    ]
    points = [f"* {word}: {one or 'not told'} → {other or 'not told'}" for word, one, other in told]
    return _section("From one generation to the next", points)


def _metric_heads(diff: Diff) -> tuple[str, ...]:
    return ("variant", "metric", diff.old, diff.new, "")


def _metric_rows(old: Contract, new: Contract) -> Iterator[tuple[str, ...]]:
    words = {True: "better", False: "worse", None: ""}
    for each in metric_changes(old.record.variants, new.record.variants):
        on = ", ".join(word for word in (each.dataset, each.split) if word)
        name = f"{each.name} ({on})" if on else each.name
        yield each.variant, name, _number(each.old), _number(each.new), words[each.better]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _size_rows(old: Contract, new: Contract) -> Iterator[tuple[str, ...]]:
    for each in size_changes(old, new):
        kind = f"{each.format}, {each.precision}" if each.precision else each.format
        yield each.variant, kind, _bytes(each.old), _bytes(each.new)


def _bytes(size: int | None) -> str:
    """`1.2 MB`; units of 1000."""
    if size is None:
        return ""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.3g} {units[0]}" if value < 1000 else f"{value:.0f} {units[0]}"


def _table(title: str, heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> list[str]:
    lines = [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
    return [f"## {title}", "\n".join(lines[: ROW_COUNT + 2])] if len(lines) > 2 else []


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
