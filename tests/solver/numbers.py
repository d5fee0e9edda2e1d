"""Packages as plain numbers, every choice among them, and the check of a proof against all of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from modelshelf.solver.solve import Incompatibility, NoSolution, Requirement

Needs = dict[int, int]


class Shelf:
    """Packages as lists of what each version needs, the newest version first."""

    def __init__(self, *packages: list[Needs], locked: Mapping[int, int] | None = None) -> None:
        self.packages = packages
        self.locked = locked or {}
        self.asked: list[tuple[int, int]] = []

    def count(self, package: int) -> int:
        return len(self.packages[package]) if package < len(self.packages) else 0

    def dependencies(self, package: int, index: int) -> Needs:
        self.asked.append((package, index))
        return self.packages[package][index - 1]

    def preferred(self, package: int) -> int:
        return self.locked.get(package, 0)


def holds(needs: Mapping[int, int], choice: Mapping[int, int]) -> bool:
    return all(mask >> choice.get(package, 0) & 1 for package, mask in needs.items())


def is_solution(shelf: Shelf, root: Needs, choice: Mapping[int, int]) -> bool:
    return holds(root, choice) and all(
        holds(shelf.packages[package][index - 1], choice) for package, index in choice.items()
    )


def every_choice(shelf: Shelf) -> Iterator[dict[int, int]]:
    for indexes in product(*(range(len(versions) + 1) for versions in shelf.packages)):
        yield {package: index for package, index in enumerate(indexes) if index}


def check_proof(shelf: Shelf, root: Needs, failure: NoSolution) -> None:
    """Every fact is true, every step follows, and the last one forbids everything."""
    assert not failure.derivation.terms
    seen: set[Incompatibility] = set()
    waiting = [failure.derivation]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node.cause, Requirement):
            check_fact(shelf, root, node.cause)
        else:
            waiting += node.cause
        for choice in every_choice(shelf):
            if holds(node.terms, choice) and not isinstance(node.cause, Requirement):
                assert any(holds(reason.terms, choice) for reason in node.cause)


def check_fact(shelf: Shelf, root: Needs, fact: Requirement) -> None:
    universe = (2 << shelf.count(fact.on)) - 1
    if fact.package is None:
        assert root[fact.on] & universe == fact.allowed
        return
    for index, needs in enumerate(shelf.packages[fact.package], start=1):
        if fact.versions >> index & 1:
            assert needs[fact.on] & universe == fact.allowed
