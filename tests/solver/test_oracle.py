"""The solver, exhaustive search and nab-resolver agree on 20,000 random shelves of releases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from functools import cache

import pytest

from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version
from modelshelf.solver.shorten import shortened
from modelshelf.solver.solve import NoSolution, solve
from tests.solver import peer
from tests.solver.numbers import Needs, Shelf, check_proof
from tests.solver.releases import (
    MISSING,
    VERSIONS,
    Exhaustive,
    Need,
    Problem,
    Release,
    random_case,
)

pytestmark = pytest.mark.no_cover  # counting lines triples the time of a search

SEEDS, EACH = 40, 500
KINDS = (
    "answers", "proofs", "locked", "pre-releases", "yanked", "cycles", "isolated", "constraints",
    "missing",
)  # fmt: skip

version = cache(Version.parse)


@cache
def inside(text: str, written: str) -> bool:
    return Requirement.parse(text).matches(version(written))


class Numbered:
    """A problem as the solver is asked it: names are numbers, releases bits, the newest first."""

    def __init__(self, problem: Problem) -> None:
        self.names = [*problem.shelf, MISSING]
        self.releases = {
            name: sorted(
                problem.offered(name), key=lambda each: version(each.version), reverse=True
            )
            for name in self.names
        }
        self.root = self.masks(problem.wanted)
        self.shelf = Shelf(
            *([self.masks(each.needs) for each in self.releases[name]] for name in problem.shelf),
            locked={
                number: self.mask(name, Need(f"={problem.locked[name]}"))
                for number, name in enumerate(self.names)
                if name in problem.locked
            },
        )

    def masks(self, needs: Mapping[str, Need]) -> Needs:
        return {self.names.index(name): self.mask(name, need) for name, need in needs.items()}

    def mask(self, name: str, need: Need) -> int:
        return need.optional + sum(
            1 << bit
            for bit, release in enumerate(self.releases[name], start=1)
            if inside(need.text, release.version)
        )

    def release(self, number: int, index: int) -> Release:
        return self.releases[self.names[number]][index - 1]


def answered(problem: Problem, seen: Counter[str]) -> dict[str, str] | None:
    """What the solver says, after everything about it has been checked."""
    oracle = Exhaustive(problem)
    answers = oracle.answers()
    assert peer.possible(oracle) == bool(answers)
    asked = Numbered(problem)
    try:
        found = solve(asked.shelf, asked.root)
    except NoSolution as failure:
        assert not answers
        if seen["proofs"] % 20 == 0:
            check_proof(asked.shelf, asked.root, failure)
            check_proof(asked.shelf, asked.root, shortened(failure))
        seen["proofs"] += 1
        return None
    releases = {
        asked.names[number]: asked.release(number, index) for number, index in found.items()
    }
    chosen = {name: release.version for name, release in releases.items()}
    assert chosen in answers
    check_kept(oracle, chosen, answers, seen)
    check_best(problem, chosen, answers)
    count(releases, seen)
    return chosen


def check_kept(
    oracle: Exhaustive, chosen: dict[str, str], answers: list[dict[str, str]], seen: Counter[str]
) -> None:
    """What the lock holds of what is wanted stays, if any answer at all keeps it."""
    firm = oracle.firm()
    if firm and any(firm.items() <= answer.items() for answer in answers):
        assert firm.items() <= chosen.items()
        seen["locked"] += 1


def check_best(problem: Problem, chosen: dict[str, str], answers: list[dict[str, str]]) -> None:
    """No other answer differs for the better in one package and keeps all others."""

    def rank(name: str, version: str) -> tuple[bool, int]:
        return version == problem.locked.get(name), VERSIONS.index(version)

    for answer in answers:
        changed = [name for name in chosen if answer.get(name) != chosen[name]]
        if len(changed) == 1 and changed[0] in answer:
            (name,) = changed
            assert rank(name, chosen[name]) > rank(name, answer[name])


def count(releases: dict[str, Release], seen: Counter[str]) -> None:
    """What this answer has in it, so that the test can tell that all of it was there."""
    seen["answers"] += 1
    needs = [(name, *item) for name, release in releases.items() for item in release.needs.items()]
    pairs = {(name, on) for name, on, need in needs if not need.optional}
    seen["cycles"] += any((on, name) in pairs for name, on in pairs)
    seen["constraints"] += any(need.optional for *_, need in needs)
    seen["missing"] += any(on == MISSING for _, on, _ in needs)
    seen["pre-releases"] += any("-" in release.version for release in releases.values())
    seen["yanked"] += any(release.yanked for release in releases.values())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_agrees_with_exhaustive_search_and_a_peer(seed: int) -> None:
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(EACH):
        case = random_case(chance)
        chosen = answered(case.main, seen)
        if chosen is not None:
            for problem in case.apart(chosen):
                answered(problem, seen)
                seen["isolated"] += 1
    assert all(seen[kind] for kind in KINDS), seen
