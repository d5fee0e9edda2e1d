"""A comparison of two releases as text: changes by level, metrics and sizes as tables."""

from __future__ import annotations

from modelshelf.cli.output import Output, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelshelf.checks.compared import Compared
    from modelshelf.checks.diff import Finding

_COLOURS = {"major": "red", "minor": "yellow", "patch": "green"}
_WORDS = {True: "better", False: "worse", None: ""}


def comparison_text(found: Compared, output: Output) -> str:
    """The whole comparison, for people."""
    told = found.diff
    title = output.paint(f"{told.name} {told.old} -> {told.new}", "bold")
    parts = [f"{title}\n{_headline(found, output)}"]
    for level in ("major", "minor", "patch"):
        findings = [each for each in told.findings if each.level == level]
        if findings:
            lines = [line for each in findings for line in _lines(each, output)]
            parts.append("\n".join([output.paint(level, _COLOURS[level]), *lines]))
    parts += [_metrics(found, output), _sizes(found, output)]
    return "\n\n".join(part for part in parts if part)


def _headline(found: Compared, output: Output) -> str:
    told = found.diff
    level = output.paint(told.level, _COLOURS[told.level])
    moved = f"; moved: {', '.join(told.axes)}" if told.axes else ""
    sure = "; unverified: no golden set tells how the models behave now" if told.unverified else ""
    if not told.findings:
        return f"Nothing changed that callers can rely on: {level}, {found.next} would do."
    return f"The changes ask for a {level} step, at least {found.next}{moved}{sure}."


def _lines(finding: Finding, output: Output) -> Iterator[str]:
    yield f"  {finding.message}  {output.paint(finding.lint, 'dim')}"
    if finding.witness:
        yield f"      until now: {finding.witness}"
    if finding.advice:
        yield f"      {output.paint('do:', 'cyan')} {finding.advice}"


def _metrics(found: Compared, output: Output) -> str:
    rows = [
        (
            each.variant,
            each.name,
            ", ".join(word for word in (each.dataset, each.split) if word),
            _number(each.old),
            _number(each.new),
            _WORDS[each.better],
        )
        for each in found.metrics
    ]
    return output.table(("variant", "metric", "on", found.diff.old, found.diff.new, "change"), rows)


def _sizes(found: Compared, output: Output) -> str:
    rows = [
        (each.variant, each.format, each.precision or "", _bytes(each.old), _bytes(each.new))
        for each in found.sizes
    ]
    return output.table(("variant", "format", "precision", found.diff.old, found.diff.new), rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _bytes(count: int | None) -> str:
    return "" if count is None else size(count)
