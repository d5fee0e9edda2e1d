"""How good members are against what they take: points in an SVG, and the same data as a table.

Members that share another feature (a width, a depth) are one series, joined by a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import markupsafe

from modelshelf.package.record import Feature
from modelshelf.registry.families import Family, FamilyMember, order
from modelshelf.registry.pages.members import (
    Measure,
    figure,
    is_lower_better,
    measures,
    named,
    told,
)
from modelshelf.registry.pages.rendering import count, size
from modelshelf.study.markup import Markup, tag

_MOST_CHARTS = 3
_MOST_SERIES = 6
_MOST_POINTS = 400
_WIDTH, _HEIGHT = 560.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 16.0, 14.0, 46.0
_FEW_VALUES, _LABEL = 8, 56.0
_WIDE_RATIO = 20.0
"""From here on steps are multiplied, not added."""

Amount = Callable[[FamilyMember], float | None]


class Point(NamedTuple):
    """One member: where it stands, and in which series."""

    member: FamilyMember
    x: float
    y: float
    series: str


class Chart(NamedTuple):
    """One picture with its words and its data, rows in the order of x."""

    id: str
    title: str
    svg: markupsafe.Markup
    x: str
    y: str
    series: str | None
    rows: tuple[tuple[Point, str], ...]
    legend: tuple[tuple[str, markupsafe.Markup], ...]
    hidden: int


class _Axis(NamedTuple):
    """What is told from left to right."""

    key: str
    title: str
    amount: Amount
    form: Callable[[float], str]


class _Scale(NamedTuple):
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float
    steps: bool

    def at(self, value: float) -> float:
        """Where a value is drawn."""
        low, high, value = (self._told(each) for each in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def _told(self, value: float) -> float:
        return math.log10(value) if self.steps else value


def charts(family: Family) -> tuple[Chart, ...]:
    """What can be drawn of a family: its most common measure against up to three amounts."""
    kinds = measures(family.members)
    if not kinds:
        return ()
    found = (_chart(family, kinds[0], axis) for axis in _axes(family))
    return tuple(chart for chart in found if chart)[:_MOST_CHARTS]


def _axes(family: Family) -> Iterator[_Axis]:
    yield _Axis("macs", "Multiply-accumulates of one call", lambda m: m.macs, count)
    yield _Axis("parameters", "Parameters", lambda m: m.parameters, count)
    yield _Axis("size", "Size", lambda m: m.size, lambda value: size(int(value)))
    numbers = [
        v.feature for v in family.varying if sum(map(_is_number, (c.value for c in v.values))) > 1
    ]
    for name in sorted(numbers, key=lambda each: each != "resolution"):
        yield _Axis(name, name.replace("_", " ")[:60], _feature(name), lambda value: f"{value:g}")


def _feature(name: str) -> Amount:
    def amount(member: FamilyMember) -> float | None:
        value = member.features.get(name)
        return float(value) if isinstance(value, int | float) and _is_number(value) else None

    return amount


def _is_number(value: Feature | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _chart(family: Family, kind: Measure, axis: _Axis) -> Chart | None:
    by = _series(family, kind, axis)
    points = list(_points(family.members, kind, axis, by))
    if len({point.x for point in points}) < 2 or len({point.y for point in points}) < 2:
        return None
    shown = sorted(points, key=lambda p: (p.x, p.y))[:_MOST_POINTS]
    names = sorted({point.series for point in shown}, key=lambda name: _place(family, by, name))
    identifier = f"chart-{''.join(c if c.isalnum() else '-' for c in axis.key[:40])}"
    title = f"{named(kind)} against {axis.title[0].lower() + axis.title[1:]}"
    if is_lower_better(family.members, kind):
        title += "; lower is better"
    return Chart(
        identifier,
        title,
        markupsafe.Markup(_svg(identifier, title, shown, names, kind, axis)),  # noqa: S704 (escaped by `tag`)
        axis.title,
        named(kind),
        by,
        tuple((point, axis.form(point.x)) for point in shown),
        tuple(_legend(names)) if len(names) > 1 else (),
        len(points) - len(shown),
    )


def _points(
    members: Iterable[FamilyMember], kind: Measure, axis: _Axis, by: str | None
) -> Iterator[Point]:
    for member in members:
        x, y = axis.amount(member), figure(member, kind)
        if x is not None and y is not None and math.isfinite(x) and math.isfinite(y):
            yield Point(member, x, y, told(member.features.get(by)) if by else "")


def _series(family: Family, kind: Measure, axis: _Axis) -> str | None:
    """The feature that makes the fewest, longest lines: one whose values are few."""
    measured = [each for each in family.members if figure(each, kind) is not None]
    for varies in sorted(
        family.varying, key=lambda v: not any(_is_number(c.value) for c in v.values)
    ):
        values = {told(each.features.get(varies.feature)) for each in measured}
        if varies.feature != axis.key and _are_few(len(values), len(measured)):
            return varies.feature
    return None


def _are_few(values: int, models: int) -> bool:
    """Whether series are few, and some of them have several models."""
    return 2 <= values <= _MOST_SERIES and 3 * values <= 2 * models


def _place(family: Family, by: str | None, name: str) -> tuple[int, float, str]:
    values = next((v.values for v in family.varying if v.feature == by), ())
    return next((order(each.value) for each in values if told(each.value) == name), order(None))


def _svg(
    identifier: str,
    title: str,
    points: Sequence[Point],
    names: Sequence[str],
    kind: Measure,
    axis: _Axis,
) -> Markup:
    across = _scale([p.x for p in points], _LEFT, _WIDTH - _RIGHT, allow_steps=True)
    up = _scale([p.y for p in points], _HEIGHT - _BOTTOM, _TOP, allow_steps=False)
    words = f"{len(points)} models; {axis.title} from {axis.form(across.low)} to {axis.form(across.high)}."
    return tag(
        "svg",
        tag("title", title, id=f"{identifier}-title"),
        tag("desc", words, id=f"{identifier}-words"),
        list(_grid(across, up, axis, _marks(across, [p.x for p in points]))),
        [_line(number, name, points, across, up) for number, name in enumerate(names)],
        [_mark(names.index(p.series), across.at(p.x), up.at(p.y), _said(p, kind, axis)) for p in points],
        tag("text", axis.title, x=(_LEFT + _WIDTH - _RIGHT) / 2, y=_HEIGHT - 8, class_="axis", text_anchor="middle"),
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        class_="chart",
        role="img",
        aria_labelledby=f"{identifier}-title {identifier}-words",
    )  # fmt: skip


def _said(point: Point, kind: Measure, axis: _Axis) -> str:
    return f"{point.member.side}: {axis.form(point.x)}, {kind[0]} {point.y:.4g}"


def _scale(values: Sequence[float], start: float, end: float, *, allow_steps: bool) -> _Scale:
    low, high = min(values), max(values)
    if allow_steps and low > 0 and high / low >= _WIDE_RATIO:
        return _Scale(low, high, start + _inset(start, end), end - _inset(start, end), steps=True)
    room = (high - low) * 0.06 or abs(high) * 0.06 or 1.0
    return _Scale(low - room, high + room, start, end, steps=False)


def _inset(start: float, end: float) -> float:
    return (end - start) * 0.05


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between two, at most `most` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    base = 10.0 ** math.floor(math.log10(rough))
    step = next((base * each for each in (1, 2, 5) if base * each >= rough), base * 10)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)][: most + 1]


def _powers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two; only the powers where those are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    leads = (1, 2, 5) if last - first <= 2 else (1,)
    found = [lead * 10.0**power for power in range(first, last + 1) for lead in leads]
    return [each for each in found if low <= each <= high] or [low, high]


def _marks(across: _Scale, values: Sequence[float]) -> Sequence[float]:
    """What is written below: the values themselves where they are few and lie apart."""
    distinct = sorted(set(values))
    places = [across.at(each) for each in distinct]
    if len(distinct) <= _FEW_VALUES and all(b - a > _LABEL for a, b in pairwise(places)):
        return distinct
    return _powers(across.low, across.high) if across.steps else ticks(across.low, across.high, 5)


def _grid(across: _Scale, up: _Scale, axis: _Axis, marks: Sequence[float]) -> Iterator[Markup]:
    for value in ticks(up.low, up.high):
        y = up.at(value)
        yield tag("path", d=f"M{_LEFT:.0f} {y:.1f}H{_WIDTH - _RIGHT:.0f}", class_="grid")
        yield tag("text", f"{value:.4g}", x=_LEFT - 8, y=y + 4, text_anchor="end")
    for value in marks:
        x = across.at(value)
        yield tag("path", d=f"M{x:.1f} {_HEIGHT - _BOTTOM:.0f}v5", class_="tick")
        yield tag("text", axis.form(value), x=x, y=_HEIGHT - _BOTTOM + 18, text_anchor="middle")
    yield tag(
        "path", d=f"M{_LEFT:.0f} {_HEIGHT - _BOTTOM:.0f}H{_WIDTH - _RIGHT:.0f}", class_="tick"
    )


def _line(
    number: int, name: str, points: Sequence[Point], across: _Scale, up: _Scale
) -> Markup | None:
    own = [point for point in points if point.series == name]
    if not name or len(own) < 2:
        return None
    places = " ".join(f"{across.at(p.x):.1f},{up.at(p.y):.1f}" for p in own)
    return tag("polyline", points=places, class_=f"series-{number}")


_SHAPES = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", "M-4.5 -4.5h9v9h-9z", "M0 -6L5.5 4.5H-5.5z",
    "M0 -6L6 0L0 6L-6 0z", "M0 6L5.5 -4.5H-5.5z", "M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
)  # fmt: skip
"""A form for each series: colours alone are not for everybody."""


def _mark(number: int, x: float, y: float, words: str | None = None) -> Markup:
    title = tag("title", words) if words else None
    place = f"translate({x:.1f} {y:.1f})"
    return tag("path", title, d=_SHAPES[number], transform=place, class_=f"mark series-{number}")


def _legend(names: Sequence[str]) -> Iterator[tuple[str, markupsafe.Markup]]:
    for number, name in enumerate(names):
        mark = tag(
            "svg", _mark(number, 8, 8), viewBox="0 0 16 16", aria_hidden="true", class_="key"
        )
        yield name, markupsafe.Markup(mark)  # noqa: S704 (escaped by `tag`)
