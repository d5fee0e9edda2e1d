"""The Pareto set: against its definition, with ties and gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.package.pareto import Front, Point, front

NUMBERS = st.integers(0, 6).map(float) | st.none() | st.just(math.nan) | st.just(math.inf)
POINTS = st.integers(1, 4).flatmap(lambda size: st.lists(st.tuples(*[NUMBERS] * size), max_size=40))


def whole(point: Point) -> list[float]:
    return [value for value in point if value is not None and not math.isnan(value)]


def dominates(one: Iterable[float], other: Iterable[float]) -> bool:
    """Whether `one` is nowhere worse than `other` and somewhere better."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@given(POINTS)
def test_is_what_its_definition_says(points: list[Point]) -> None:
    found = front(points)
    complete = [i for i, point in enumerate(points) if len(whole(point)) == len(point)]
    best = [
        i for i in complete
        if not any(dominates(whole(points[j]), whole(points[i])) for j in complete)
    ]  # fmt: skip
    assert list(found.best) == best
    assert sorted((*best, *found.dominated, *found.incomplete)) == list(range(len(points)))
    assert set(found.incomplete).isdisjoint(complete)
    for point, other in found.dominated.items():
        assert other in best
        assert dominates(whole(points[other]), whole(points[point]))


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], Front((), {}, ())),
        ([(3.0,), (1.0,), (1.0,)], Front((1, 2), {0: 1}, ())),
        ([(1, 1), (1, 1)], Front((0, 1), {}, ())),
        ([(1, 2), (2, 1), (2, 2), (None, 0)], Front((0, 1), {2: 1}, (3,))),
        ([(1, 9, 1), (1, 8, 1), (0, 9, 9)], Front((1, 2), {0: 1}, ())),
        ([(math.nan, 1.0)], Front((), {}, (0,))),
    ],
)
def test_ties_stay_together_and_gaps_apart(points: list[Point], expected: Front) -> None:
    assert front(points) == expected


@pytest.mark.parametrize("size", [2, 3])
def test_many_points_that_trade_one_for_the_other(size: int) -> None:
    points: list[Point] = [(n % 500, -(n % 500), *[0.0] * (size - 2)) for n in range(10_000)]
    assert len(front(points).best) == 10_000
