"""Random shelves of releases, and what their ranges mean, said without the product's own parser.

The oracle's side: versions are places in one written order, a range is a set of them, and every
solution is found by trying all there is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

VERSIONS = (
    "0.1.0", "0.1.1", "0.2.0", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", "1.0.1", "1.1.0-rc.1", "1.1.0",
    "2.0.0-rc.1", "2.0.0", "2.1.0",
)  # fmt: skip
PARTIAL = (
    "*",
    "*",
    "*",
    "1",
    "1.0",
    "0.1",
    "^1",
    "^0.1",
    "^1.1",
    "~1",
    "~1.0",
    "~0.2",
    "1.*",
    "<2",
    "<=1.0",
)
SIGNS = ("^", "^", "~", ">=", ">=", ">", "<", "<=", "=", "")
SECOND = ("<2.1.0", "<2", "<=2.0.0-rc.1", ">0.1.0", ">=1.0.0-rc.1")
MISSING = "acme/gone"


class Need(NamedTuple):
    """A range; an `optional` one holds also where the package is not there: a constraint."""

    text: str
    optional: bool = False


class Release(NamedTuple):
    version: str
    needs: dict[str, Need]
    yanked: bool = False


class Problem(NamedTuple):
    """What one resolution is asked: all there is, what is wanted of it, what a lock holds."""

    shelf: dict[str, list[Release]]
    wanted: dict[str, Need]
    locked: Mapping[str, str]

    def offered(self, name: str) -> list[Release]:
        """The releases that may be chosen: yanked ones only where they are locked."""
        locked = self.locked.get(name)
        return [
            release
            for release in self.shelf.get(name, [])
            if not release.yanked or release.version == locked
        ]


class Case(NamedTuple):
    """A problem, and the wants that are solved apart from it, each by itself."""

    main: Problem
    isolated: dict[str, Need]

    def apart(self, chosen: Mapping[str, str]) -> Iterator[Problem]:
        """The isolated problems: they prefer what the main one `chosen`, then what was locked."""
        for name, need in self.isolated.items():
            yield Problem(self.main.shelf, {name: need}, {**self.main.locked, **chosen})


def random_case(chance: random.Random) -> Case:
    """Up to five packages with up to four releases each, one of the names is nobody's."""
    names = [f"acme/{letter}" for letter in "abcde"[: chance.randint(2, 5)]]
    versions = {name: _ordered(chance.sample(VERSIONS, chance.randint(2, 4))) for name in names}
    most = chance.choice((1, 1, 2, 3))

    def needs() -> dict[str, Need]:
        some = chance.sample(names, min(len(names), chance.randint(0, most)))
        if chance.random() < 0.1:
            some.append(MISSING)
        return {on: Need(_range(chance, versions.get(on)), chance.random() < 0.2) for on in some}

    index = {
        name: [Release(version, needs(), chance.random() < 0.2) for version in versions[name]]
        for name in names
    }
    wanted = {
        name: Need(_range(chance, versions[name]))
        for name in chance.sample(names, chance.randint(1, 2))
    }
    apart = chance.sample(names, chance.choice((0, 0, 0, 1, 2)))
    locked = {
        name: chance.choice(versions[name] if chance.random() < 0.9 else VERSIONS)
        for name in names
        if chance.random() < 0.5
    }
    isolated = {name: Need(_range(chance, versions[name])) for name in apart}
    return Case(Problem(index, wanted, locked), isolated)


def _range(chance: random.Random, known: Sequence[str] | None) -> str:
    """One clause or two, mostly about a version that the package has."""
    if chance.random() < 0.45:
        return chance.choice(PARTIAL)
    first = chance.choice(SIGNS) + chance.choice(
        known if known and chance.random() < 0.85 else VERSIONS
    )
    return first if chance.random() < 0.92 else f"{first}, {chance.choice(SECOND)}"


def _ordered(versions: list[str]) -> list[str]:
    return sorted(versions, key=VERSIONS.index)


@cache
def means(text: str, version: str) -> bool:
    """Whether `version` is in the range `text`; a pre-release only where its release is named."""
    clauses = [re.fullmatch(r"([\^~<>=]*)(.+)", part.strip()) for part in text.split(",")]
    pairs = [(clause[1], clause[2]) for clause in clauses if clause]
    release, _, preview = version.partition("-")
    named = {written.partition("-")[0] for _, written in pairs if "-" in written}
    return (not preview or release in named) and all(
        _clause(sign, written, version) for sign, written in pairs
    )


def _clause(sign: str, written: str, version: str) -> bool:
    numbers = written.partition("-")[0].removesuffix("*").removesuffix(".").split(".")
    if numbers == [""]:
        return True
    mine = version.partition("-")[0].split(".")[: len(numbers)]
    if sign in ("<", "<=") and len(numbers) < 3:
        return mine < numbers or (sign == "<=" and mine == numbers)
    low = written if len(numbers) == 3 else ".".join([*numbers, "0", "0"][:3])
    step = VERSIONS.index(version) - VERSIONS.index(low)
    if sign in ("^", "") and not written.endswith("*"):
        same = next((i for i, number in enumerate(numbers) if number != "0"), len(numbers) - 1) + 1
        return step >= 0 and mine[:same] == numbers[:same]
    if sign in ("~", ""):
        return step >= 0 and mine[:2] == numbers[:2]
    return {">=": step >= 0, ">": step > 0, "<": step < 0, "<=": step <= 0, "=": not step}[sign]


Allowed = tuple[tuple[str, frozenset[str], bool], ...]
"""Package, versions that will do, whether it may also be absent."""


class Exhaustive:
    """Every answer to a problem that has nothing in it that is not needed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        names = {*problem.shelf, *problem.wanted, MISSING}
        self.offered = {
            name: [release.version for release in problem.offered(name)] for name in names
        }
        self.wanted = self._allowed(problem.wanted)
        self.needs = {
            (name, release.version): self._allowed(release.needs)
            for name in names
            for release in problem.offered(name)
        }

    def _allowed(self, needs: Mapping[str, Need]) -> Allowed:
        return tuple(
            (name, frozenset(v for v in self.offered[name] if means(need.text, v)), need.optional)
            for name, need in needs.items()
        )

    def answers(self) -> list[dict[str, str]]:
        return list(self._extended({}, self.wanted))

    def _extended(self, chosen: dict[str, str], needs: Allowed) -> Iterator[dict[str, str]]:
        if any(name in chosen and chosen[name] not in allowed for name, allowed, _ in needs):
            return
        open_ones = (name for name, _, optional in needs if not optional and name not in chosen)
        name = next(open_ones, None)
        if name is None:
            yield chosen
            return
        for version in self.offered[name]:
            yield from self._extended({**chosen, name: version}, needs + self.needs[name, version])

    def firm(self) -> dict[str, str]:
        """The locked versions that are reached from what is wanted through locked versions."""
        kept: dict[str, str] = {}
        waiting = list(self.wanted)
        while waiting:
            name, allowed, optional = waiting.pop()
            version = self.problem.locked.get(name, "")
            if not optional and name not in kept and version in allowed:
                kept[name] = version
                waiting += self.needs[name, version]
        return kept
