"""Sets of packages to solve: three as shelves of models are, two that are only large."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

Window = tuple[int, int]
"""The newest and the oldest release that will do; releases are numbered from 1, the newest."""
Needs = dict[int, Window]


class Shelf(NamedTuple):
    """What each release of each package needs, what is wanted, what a lock holds."""

    packages: list[list[Needs]]
    wanted: Needs
    locked: dict[int, int]

    def answers(self, chosen: dict[int, int]) -> bool:
        """Whether `chosen` is a solution."""
        asked = [self.wanted, *(self.packages[p][index - 1] for p, index in chosen.items())]
        return all(
            low <= chosen.get(on, 0) <= high for needs in asked for on, (low, high) in needs.items()
        )


def zoo() -> Shelf:
    """Few packages, many releases: pipelines share models, models share preprocessors.

    A release needs the major version that its dependency had when it was made; some publishers lag
    behind, so the newest of everything does not fit together.
    """
    chance = random.Random(4)
    kinds = [(12, 30, 6), (40, 60, 8), (8, 40, 5)]  # preprocessors, models, pipelines: majors
    packages: list[list[Needs]] = []
    counts = [(releases, majors) for number, releases, majors in kinds for _ in range(number)]

    def major(on: int, age: float) -> Window:
        releases, majors = counts[on]
        line = min(int(age * majors), majors - 1)
        return line * releases // majors + 1, (line + 1) * releases // majors

    for package, (releases, _) in enumerate(counts):
        below, number = ((0, 0), (12, 2), (52, 6))[(package >= 12) + (package >= 52)]
        some = chance.sample(range(below), number)
        lag = chance.choice((0, 0, 0.1, 0.2))
        ages = [min(index / releases + lag, 0.99) for index in range(releases)]
        packages.append([{on: major(on, age) for on in some} for age in ages])
    return Shelf(packages, dict.fromkeys(range(52, 60), (1, 40)), {})


def tree() -> Shelf:
    """Ten layers of backbones, adapters and heads, each release bound to a few of the next layer."""
    chance = random.Random(5)
    layers, each, releases = 10, 20, 15

    def needs(some: list[int], index: int) -> Needs:
        found = {}
        for on in some:
            middle = min(index + chance.randint(0, 2), releases)
            found[on] = (max(middle - 1, 1), min(middle + 1, releases))
        return found

    packages = []
    for layer in range(layers):
        lower = range((layer + 1) * each, min(layer + 2, layers) * each)
        for _ in range(each):
            some = chance.sample(lower, 3) if lower else []
            packages.append([needs(some, index) for index in range(1, releases + 1)])
    return Shelf(packages, dict.fromkeys(range(4), (1, releases)), {})


def wide() -> Shelf:
    """A project with 200 direct wants and a lock of all but five of them, which is to be kept."""
    packages = _around(random.Random(6), 400, 12, each=4, reach=4)
    wanted = dict.fromkeys(range(200), (1, 12))
    return Shelf(packages, wanted, dict.fromkeys(range(5, 400), 5))


def large() -> Shelf:
    """1,000 packages, 20 releases of each, which need 5 others of about their age."""
    return Shelf(_around(random.Random(1), 1000, 20), dict.fromkeys(range(5), (1, 20)), {})


def unsatisfiable() -> Shelf:
    """As large, but what is wanted contradicts itself three dependencies further down."""
    packages, wanted, _ = large()
    for package in range(3):
        for needs in packages[package]:
            needs[package + 1] = (1, 20)
    for needs in packages[2]:
        needs[3] = (18, 20)
    return Shelf(packages, {**wanted, 3: (1, 3)}, {})


def _around(
    chance: random.Random, size: int, releases: int, *, each: int = 5, reach: int = 3
) -> list[list[Needs]]:
    return [
        [
            {
                on: (max(index - reach, 1), min(index + reach, releases))
                for on in chance.sample(range(size), each)
            }
            for index in range(1, releases + 1)
        ]
        for _ in range(size)
    ]


SHELVES: dict[str, Callable[[], Shelf]] = {
    "zoo": zoo,
    "tree": tree,
    "wide": wide,
    "large": large,
    "unsatisfiable": unsatisfiable,
}
