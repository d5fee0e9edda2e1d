"""PubGrub on integer bit masks: choose a version of every package needed, or prove there is none.

Source: https://github.com/dart-lang/pub/blob/master/doc/solver.md; the words are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from modelshelf.errors import Refused, Unsatisfiable

ABSENT = 1
_ALL_TRUE = -1
_NOTHING_FOLLOWS = -2
_ANYTHING = -1


class Provider(Protocol):
    """What the solver asks about packages; the answers must not change while it runs."""

    def count(self, package: int) -> int:
        """How many versions there are; 0 for a package that does not exist."""
        ...

    def dependencies(self, package: int, index: int) -> Mapping[int, int]:
        """What version `index` (from 1, the newest) needs: package to mask of allowed versions.

        With bit 0 set the package may also be absent: a constraint, no requirement.
        """
        ...

    def preferred(self, package: int) -> int:
        """Mask of the versions to try before newer ones (those of the lock), or 0."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """A fact: these `versions` of `package` (None: the caller itself) need `on` in `allowed`."""

    package: int | None
    versions: int
    on: int
    allowed: int


@dataclass(frozen=True, slots=True, eq=False)
class Incompatibility:
    """Choices that cannot all be made: for at least one package it must lie outside its mask.

    `cause` is a fact, or the two incompatibilities that this one follows from. Without terms it
    says that there is no solution.
    """

    terms: Mapping[int, int]
    cause: Requirement | tuple[Incompatibility, Incompatibility]


class NoSolution(Unsatisfiable):
    """There is none; `derivation` is the proof, `universes` every mask with all bits set."""

    def __init__(self, derivation: Incompatibility, universes: Mapping[int, int]) -> None:
        super().__init__("no set of releases satisfies all requirements")
        self.derivation = derivation
        self.universes = universes


def solve(
    provider: Provider, root: Mapping[int, int], *, most_steps: int = 30_000_000
) -> dict[int, int]:
    """Package to version number (from 1, the newest) for all that `root` needs, directly or not.

    Prefers locked versions, then the newest. Raises `NoSolution`, or `Refused` after
    `most_steps` (looks at one incompatibility, some 2 million a second): the problem is
    NP-complete, and releases are written by strangers.
    """
    return _Search(provider, most_steps).run(root)


class _Assignment(NamedTuple):
    """A step of the search: `mask` is what its package may be from here on; no cause: a guess."""

    position: int
    level: int
    mask: int
    cause: Incompatibility | None


_Watch = tuple[int, int, int, Incompatibility]
"""A package's own term, another package and its term: most often they tell that nothing follows."""


class _Search:
    def __init__(self, provider: Provider, most_steps: int) -> None:
        self._provider = provider
        self._steps_left = most_steps
        self._universes: dict[int, int] = {}
        self._masks: dict[int, int] = {}
        self._preferred: dict[int, int] = {}
        self._needs: dict[tuple[int, int], dict[int, int]] = {}
        self._watching: dict[int, list[_Watch]] = {}
        self._stated: set[tuple[int, int]] = set()
        self._wide: dict[tuple[int, int, int], Incompatibility] = {}
        self._history: dict[int, list[_Assignment]] = {}
        self._trail: list[int] = []
        self._chosen: dict[int, int] = {}
        self._queue: list[tuple[bool, int, int]] = []

    def run(self, root: Mapping[int, int]) -> dict[int, int]:
        for on, allowed in root.items():
            universe = self._meet(on)
            self._add(self._incompatibility(Requirement(None, 0, on, allowed & universe)))
        self._propagate(list(root))
        while (package := self._next()) is not None:
            self._decide(package)
            self._propagate([package])
        return dict(self._chosen)

    def _meet(self, package: int) -> int:
        """Mask of everything that `package` can be; remembers packages when first seen."""
        if package not in self._universes:
            self._universes[package] = self._masks[package] = (
                2 << self._provider.count(package)
            ) - 1
            self._preferred[package] = self._provider.preferred(package)
            self._watching[package] = []
            self._history[package] = []
        return self._universes[package]

    def _needs_of(self, package: int, index: int) -> dict[int, int]:
        if (package, index) not in self._needs:
            stated = self._provider.dependencies(package, index)
            self._needs[package, index] = {on: mask & self._meet(on) for on, mask in stated.items()}
        return self._needs[package, index]

    def _incompatibility(self, requirement: Requirement) -> Incompatibility:
        on, package = requirement.on, requirement.package
        terms = {on: self._universes[on] ^ requirement.allowed}
        if package is not None:
            terms[package] = terms.get(package, -1) & requirement.versions
        if not requirement.allowed:
            terms = _without_certain(terms, self._universes)
        return Incompatibility(terms, requirement)

    def _add(self, incompatibility: Incompatibility) -> None:
        if not incompatibility.terms:
            raise self._failure(incompatibility)
        if all(incompatibility.terms.values()):
            *before, (other, its_term) = incompatibility.terms.items()
            if not before:
                its_term = _ANYTHING
            for package, term in incompatibility.terms.items():
                self._watching[package].append((term, other, its_term, incompatibility))
                other, its_term = package, term

    def _failure(self, derivation: Incompatibility) -> NoSolution:
        return NoSolution(derivation, dict(self._universes))

    # -- choosing ---------------------------------------------------------------------------

    def _rank(self, package: int) -> tuple[bool, int, int]:
        """Locked packages first, so that new ones bend to them; then those met first.

        These are the nearest to what was asked for: they get their newest versions, and what
        contradicts near the top is found before all that lies below it is chosen.
        """
        locked = self._masks[package] & self._preferred[package]
        return not locked, self._history[package][0].position, package

    def _offer(self, package: int) -> None:
        if not self._masks[package] & ABSENT and package not in self._chosen:
            heappush(self._queue, self._rank(package))

    def _next(self) -> int | None:
        """A package that is needed and not chosen yet; entries of the queue can be out of date."""
        while self._queue:
            entry = heappop(self._queue)
            package = entry[-1]
            needed = not self._masks[package] & ABSENT and package not in self._chosen
            if needed and entry == self._rank(package):
                return package
        return None

    def _decide(self, package: int) -> None:
        """Choose a version, unless what it needs is impossible already: then only state that."""
        mask = self._masks[package]
        candidates = mask & self._preferred[package] or mask
        bit = candidates & -candidates
        index = bit.bit_length() - 1
        needs = self._needs_of(package, index)
        if (package, index) not in self._stated:
            self._stated.add((package, index))
            for on, allowed in needs.items():
                if (package, on, allowed) not in self._wide:
                    self._add(self._incompatibility(Requirement(package, bit, on, allowed)))
        if all(self._masks[on] & allowed for on, allowed in needs.items()):
            self._chosen[package] = index
            self._assign(package, bit, None, self._level() + 1)
        else:
            self._offer(package)

    # -- the partial solution ---------------------------------------------------------------

    def _level(self) -> int:
        """How many guesses the latest step rests on."""
        return self._history[self._trail[-1]][-1].level if self._trail else 0

    def _assign(self, package: int, mask: int, cause: Incompatibility | None, level: int) -> None:
        self._history[package].append(_Assignment(len(self._trail), level, mask, cause))
        self._trail.append(package)
        self._masks[package] = mask
        self._offer(package)

    def _backtrack(self, level: int) -> None:
        while self._level() > level:
            package = self._trail.pop()
            past = self._history[package]
            past.pop()
            self._masks[package] = past[-1].mask if past else self._universes[package]
            self._chosen.pop(package, None)
            self._offer(package)

    # -- consequences -----------------------------------------------------------------------

    def _propagate(self, changed: list[int]) -> None:
        """Draw every conclusion from the masks of the `changed` packages."""
        masks = self._masks
        while changed:
            moved = changed.pop()
            watching = self._watching[moved]
            self._count_steps(len(watching))
            for term, other, its_term, incompatibility in reversed(watching):
                mask, its_mask = masks[moved], masks[other]
                if not (mask & term and its_mask & its_term):
                    continue
                if mask & ~term and its_mask & ~its_term:
                    continue
                package = self._open_term(incompatibility.terms)
                if package == _ALL_TRUE:
                    changed = [self._learn(incompatibility)]
                    break
                if package != _NOTHING_FOLLOWS:
                    self._derive(package, incompatibility)
                    changed.append(package)

    def _open_term(self, terms: Mapping[int, int]) -> int:
        """The only package whose term is not true yet (its negation follows), or a constant."""
        found = _ALL_TRUE
        for package, term in terms.items():
            mask = self._masks[package]
            if not mask & term:
                return _NOTHING_FOLLOWS
            if mask & ~term:
                if found != _ALL_TRUE:
                    return _NOTHING_FOLLOWS
                found = package
        return found

    def _derive(self, package: int, cause: Incompatibility) -> None:
        mask = self._masks[package] & ~cause.terms[package]
        self._assign(package, mask, cause, self._level())

    def _count_steps(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise Refused(
                "choosing releases takes too long: the requirements contradict in too many ways",
                hint="ask for exact versions of some packages",
            )

    # -- conflicts --------------------------------------------------------------------------

    def _learn(self, conflict: Incompatibility) -> int:
        """Find the root cause, step back to where it decides something; the package it decides."""
        while (conflict := self._widened(conflict)).terms:
            satisfier, package, before = self._satisfier(conflict.terms)
            if satisfier.cause is None or before < satisfier.level:
                self._backtrack(before)
                if isinstance(conflict.cause, tuple):
                    self._add(conflict)
                self._derive(package, conflict)
                return package
            conflict = self._resolvent(conflict, self._widened(satisfier.cause), package)
        raise self._failure(conflict)

    def _satisfier(self, terms: Mapping[int, int]) -> tuple[_Assignment, int, int]:
        """The step that made all `terms` true, its package, the level where the others were."""
        found = sorted((self._first(package, term), package) for package, term in terms.items())
        latest, package = found.pop()
        before = max((assignment.level for assignment, _ in found), default=0)
        if latest.cause is not None:
            # The step alone may not suffice: then earlier ones of its package count as others.
            rest = self._universes[package] & ~latest.cause.terms[package] & ~terms[package]
            if rest:
                before = max(before, self._first(package, ~rest).level)
        return latest, package, before

    def _first(self, package: int, term: int) -> _Assignment:
        return next(step for step in self._history[package] if not step.mask & ~term)

    def _resolvent(self, one: Incompatibility, two: Incompatibility, on: int) -> Incompatibility:
        terms = dict(one.terms)
        for package, term in two.terms.items():
            terms[package] = terms.get(package, -1) & term
        terms[on] = one.terms[on] | two.terms[on]
        return Incompatibility(_without_certain(terms, self._universes), (one, two))

    def _widened(self, incompatibility: Incompatibility) -> Incompatibility:
        """The same fact about all versions of its package that need the same.

        Only facts that take part in a conflict are widened, so a search without conflicts never
        asks for the dependencies of versions that it does not choose; proofs get shorter.
        """
        fact = incompatibility.cause
        if isinstance(fact, tuple) or fact.package is None:
            return incompatibility
        key = (fact.package, fact.on, fact.allowed)
        if key not in self._wide:
            versions = sum(
                1 << index
                for index in range(1, self._universes[fact.package].bit_length())
                if self._needs_of(fact.package, index).get(fact.on) == fact.allowed
            )
            wide = self._incompatibility(Requirement(fact.package, versions, fact.on, fact.allowed))
            self._wide[key] = wide
            self._add(wide)
        return self._wide[key]


def _without_certain(terms: Mapping[int, int], universes: Mapping[int, int]) -> dict[int, int]:
    """`terms` without those that are true whatever is chosen."""
    return {package: term for package, term in terms.items() if term != universes[package]}
