"""Figure 3: how many members families have, by application domain, on a logarithmic scale."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import NamedTuple

from modelshelf.study import classes
from modelshelf.study.answer import Cell, Column, Drawing, Made, Part, Table
from modelshelf.study.drawing import cut, drawing, label, path
from modelshelf.study.markup import Markup, tag
from modelshelf.study.survey import Survey
from modelshelf.study.table4 import real

_TICKS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)
_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 250.0, 30.0, 20.0, 58.0, 820.0
_COLUMNS = (
    Column("catalogue", "catalogue"),
    Column("domain", "domain"),
    Column("families", "families", "", "count"),
    Column("least", "least", "", "count"),
    Column("quarter", "first quartile", "", "number"),
    Column("median", "median", "", "number"),
    Column("three_quarters", "third quartile", "", "number"),
    Column("most", "most", "", "count"),
    Column("ln_median", "ln of the median", "", "number"),
)


class Box(NamedTuple):
    """The families of one catalogue in one domain, by their sizes."""

    catalogue: str
    domain: str
    sizes: tuple[int, ...]
    quartiles: tuple[float, float, float]


def compute(survey: Survey) -> Made:
    """The quartiles as a table, the same drawn."""
    boxes = tuple(_boxes(survey))
    rows = [_row(box) for box in boxes]
    table = Table.of("sizes", "Members of families, by application domain", _COLUMNS, rows)
    notes = ("The paper draws this figure without its numbers; its medians are those of Table 4.",)
    return Made((table,), (_drawn(boxes),), notes)


def _boxes(survey: Survey) -> Iterator[Box]:
    sizes: dict[tuple[str, str], list[int]] = defaultdict(list)
    for group in real(survey):
        sizes[group.catalogue, classes.of(group.task).domain].append(group.models)
    found = {classes.of(group.task) for group in survey.groups}
    domains = dict.fromkeys(each.domain for each in classes.in_order(found))
    for domain in domains:
        for each in survey.labels:
            if here := tuple(sorted(sizes[each, domain])):
                yield Box(each, domain, here, _quartiles(here))


def _quartiles(sizes: Sequence[int]) -> tuple[float, float, float]:
    """With both ends counted in, as box plots do; of one family all are its size."""
    if len(sizes) == 1:
        return (float(sizes[0]),) * 3
    low, middle, high = quantiles(sizes, n=4, method="inclusive")
    return float(low), float(middle), float(high)


def _row(box: Box) -> dict[str, Cell]:
    low, middle, high = box.quartiles
    return {
        "catalogue": box.catalogue,
        "domain": box.domain,
        "families": len(box.sizes),
        "least": box.sizes[0],
        "quarter": low,
        "median": middle,
        "three_quarters": high,
        "most": box.sizes[-1],
        "ln_median": round(math.log(middle), 2),
    }


def _drawn(boxes: Sequence[Box]) -> Drawing:
    largest = max((box.sizes[-1] for box in boxes), default=_TICKS[1])
    floor = _TOP + len(boxes) * _ROW
    parts = list(_axis(largest, floor))
    for number, box in enumerate(boxes):
        parts += _drawn_box(box, _TOP + (number + 0.5) * _ROW, largest)
    words = [
        f"{box.catalogue}, {box.domain}: {_families(len(box.sizes))}, median {box.quartiles[1]:g}, "
        f"the largest {box.sizes[-1]}"
        for box in boxes
    ]
    return drawing(
        "figure3",
        "Figure 3: members of families by application domain",
        "Box plots over a logarithmic scale. " + ("; ".join(words) or "No families") + ".",
        (_WIDTH, floor + 48),
        parts,
    )


def _x(size: float, largest: float) -> float:
    """On the axis from 1.8 to a little above the largest family."""
    low, high = math.log(1.8), math.log(largest * 1.12)
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (math.log(size) - low) / (high - low)


def _axis(largest: int, floor: float) -> Iterator[Markup]:
    for tick in (each for each in _TICKS if each <= largest * 1.1):
        x = _x(tick, largest)
        yield path(f"M{x:.1f} {_TOP:.0f}V{floor:.0f}", "pale")
        yield label(round(x, 1), floor + 18, str(tick), "grey", "middle")
    yield path(f"M{_LEFT:.0f} {floor:.0f}H{_WIDTH - _RIGHT:.0f}")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield label(middle, floor + 38, "members of a family (logarithmic)", "grey", "middle")


def _drawn_box(box: Box, y: float, largest: int) -> Iterator[Markup]:
    low, middle, high = (_x(each, largest) for each in box.quartiles)
    least, most = _x(box.sizes[0], largest), _x(box.sizes[-1], largest)
    yield label(_LEFT - 12, y - 2, cut(box.domain, _LEFT - 20), "ink", "end")
    told = f"{box.catalogue}, {_families(len(box.sizes))}"
    yield label(_LEFT - 12, y + 14, cut(told, _LEFT - 20), "grey", "end")
    yield path(f"M{least:.1f} {y:.1f}H{low:.1f}M{high:.1f} {y:.1f}H{most:.1f}", "blueline")
    yield tag("rect", x=low, y=y - 11, width=max(high - low, 1.0), height=22, class_="d-box", rx=2)
    yield from _dots(box.sizes, y, largest)
    yield tag(
        "path", d=f"M{middle:.1f} {y - 13:.1f}V{y + 13:.1f}", class_="d-blueline", stroke_width=3
    )


def _dots(sizes: Sequence[int], y: float, largest: int) -> Iterator[Markup]:
    """A point for each size, the larger the more families have it."""
    for size, families in sorted(Counter(sizes).items()):
        radius = min(3 + 1.6 * math.sqrt(families - 1), 12)
        told = f"{_families(families)} with {size} members"
        yield tag(
            "circle", tag("title", told), cx=_x(size, largest), cy=y, r=radius, class_="d-dot"
        )


def _families(count: int) -> str:
    return "1 family" if count == 1 else f"{count} families"


PART = Part("figure3", "Figure 3: distribution of family sizes", "5.2.2.2", compute)
