"""The Pareto set: of several candidates those that no other one betters in every respect.

A point is a tuple of numbers of which less is better: turn the sign of what should be large. One
point dominates another where it is nowhere worse and somewhere better; equal points do not
dominate each other. A point with a gap (None, or what is no number) is compared with nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[float | None, ...]
_Whole = tuple[float, ...]


class Front(NamedTuple):
    """Indexes into the points: `best` in their order, `dominated` by which one of `best`."""

    best: tuple[int, ...]
    dominated: dict[int, int]
    incomplete: tuple[int, ...]


def front(points: Sequence[Point]) -> Front:
    """Which points are best. All must have the same length.

    Of those that dominate a point, the one is named that is next to it in the first respect.
    n log n for one and two respects, else n times the size of the front.
    """
    places: dict[_Whole, list[int]] = {}
    incomplete = []
    for index, point in enumerate(points):
        whole = _whole(point)
        if whole is None:
            incomplete.append(index)
        else:
            places.setdefault(whole, []).append(index)
    distinct = sorted(places)
    better = _in_two(distinct) if distinct and len(distinct[0]) <= 2 else _in_many(distinct)
    best = sorted(index for point in distinct if point not in better for index in places[point])
    dominated = {
        index: places[other][0] for point, other in better.items() for index in places[point]
    }
    return Front(tuple(best), dominated, tuple(incomplete))


def _whole(point: Point) -> _Whole | None:
    whole = tuple(float(x) for x in point if x is not None and not math.isnan(x))
    return whole if len(whole) == len(point) else None


def _in_two(ordered: list[_Whole]) -> dict[_Whole, _Whole]:
    """Sorted, a point is dominated where the last number of one before it is no larger."""
    better: dict[_Whole, _Whole] = {}
    lowest: _Whole | None = None
    for point in ordered:
        if lowest is not None and (len(point) < 2 or lowest[-1] <= point[-1]):
            better[point] = lowest
        else:
            lowest = point
    return better


def _in_many(ordered: list[_Whole]) -> dict[_Whole, _Whole]:
    """Sorted, a point can only be dominated by one before it, and then by one of the best."""
    better: dict[_Whole, _Whole] = {}
    best: list[_Whole] = []
    for point in ordered:
        other = next((each for each in reversed(best) if _no_worse(each, point)), None)
        if other is None:
            best.append(point)
        else:
            better[point] = other
    return better


def _no_worse(one: _Whole, other: _Whole) -> bool:
    return all(map(float.__le__, one, other))
