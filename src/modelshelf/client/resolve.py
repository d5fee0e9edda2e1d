"""Wanted packages → chosen releases: index entries on one side, the solver's masks on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelshelf.errors import NotFound, Refused, Unsatisfiable
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock
from modelshelf.package.record import Dependency
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version
from modelshelf.solver.explain import explain
from modelshelf.solver.solve import NoSolution, solve
from modelshelf.solver.solve import Requirement as Fact

longest_explanation = 30
"""How many sentences of a proof a person is shown."""

Index = Callable[[str], tuple[Entry, ...]]
"""Every release of a package by its name; raises NotFound."""


def resolve(
    wanted: Mapping[str, Dependency], index: Index, lock: Lock, *, root: str = "this shelf"
) -> dict[str, Entry]:
    """One release of every package that `wanted` needs, directly or not, by name.

    Locked releases are preferred, then the newest; yanked, quarantined and blocked ones count only
    where they are locked. Raises NotFound for an unknown package that is wanted directly, Refused
    for one that is blocked, Unsatisfiable with the derivation otherwise.
    """
    releases = _Releases(index, lock)
    for name in wanted:
        releases.known(name)
    mask = {releases.number(n): releases.mask(n, need.version) for n, need in wanted.items()}
    try:
        chosen = solve(releases, mask)
    except NoSolution as failure:
        told = explain(failure, releases.words, required=releases.asked(wanted), root=root)
        cut = [f"(and {len(told) - longest_explanation} more steps)", told[-1]]
        shown = told if len(told) <= longest_explanation else [*told[:longest_explanation], *cut]
        raise Unsatisfiable(
            "\n".join(shown), hint="relax one of these ranges in shelf.toml"
        ) from None
    return {releases.names[p]: releases.entries(p)[i - 1] for p, i in chosen.items()}


class _Releases:
    """`solver.Provider` over index entries: package numbers to names, bits to releases."""

    def __init__(self, index: Index, lock: Lock) -> None:
        self._index = index
        self._locked = {each.name: each.version for each in lock.packages}
        self._entries: dict[int, tuple[Entry, ...]] = {}
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def number(self, name: str) -> int:
        """The integer that stands for `name`."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def known(self, name: str) -> None:
        """Raise NotFound where the registry has no package `name`, Refused where all is blocked."""
        usable = self._entries[self.number(name)] = self._usable(name)
        if not usable and any(each.scan and each.scan.withholds for each in self._index(name)):
            raise Refused(
                f"every release of {name} that could be chosen is blocked by the registry's scanner",
                hint="the registry's operator can let a release through",
            )

    def entries(self, package: int) -> tuple[Entry, ...]:
        """The releases that may be chosen, newest first; none for an unknown package."""
        if package not in self._entries:
            try:
                self._entries[package] = self._usable(self.names[package])
            except NotFound:
                self._entries[package] = ()
        return self._entries[package]

    def mask(self, name: str, text: str) -> int:
        """The releases of `name` inside the range `text`."""
        requirement = Requirement.parse(text)
        return sum(
            1 << bit
            for bit, entry in enumerate(self.entries(self.number(name)), start=1)
            if requirement.matches(Version.parse(entry.version))
        )

    def count(self, package: int) -> int:
        """How many releases may be chosen."""
        return len(self.entries(package))

    def dependencies(self, package: int, index: int) -> Mapping[int, int]:
        """What release `index` (from 1) needs."""
        needs = self.entries(package)[index - 1].dependencies
        return {self.number(name): self.mask(name, need.version) for name, need in needs.items()}

    def preferred(self, package: int) -> int:
        """The locked release, as a mask."""
        version = self._locked.get(self.names[package])
        entries = enumerate(self.entries(package), start=1)
        return sum(1 << bit for bit, entry in entries if entry.version == version)

    def words(self, package: int, mask: int) -> str:
        """`acme/digits 1.0.0 or 1.1.0`, for explanations."""
        entries = enumerate(self.entries(package), start=1)
        versions = [entry.version for bit, entry in entries if mask >> bit & 1]
        name = self.names[package]
        if not versions:
            return f"a release of {name} in the range asked for"
        if len(versions) == self.count(package) and len(versions) > 1:
            return f"{name} (any release)"
        shown = versions if len(versions) <= 4 else [*versions[:3], "…", versions[-1]]
        return f"{name} {' or '.join(reversed(shown))}"

    def asked(self, wanted: Mapping[str, Dependency]) -> Callable[[Fact], str]:
        """Words for a requirement as it was typed: `acme/digits ^9`."""

        def words(fact: Fact) -> str:
            name = self.names[fact.on]
            if fact.package is None:
                return f"{name} {wanted[name].version}"
            newest_bit = (fact.versions & -fact.versions).bit_length() - 1
            entry = self.entries(fact.package)[newest_bit - 1]
            return f"{name} {entry.dependencies[name].version}"

        return words

    def _usable(self, name: str) -> tuple[Entry, ...]:
        locked = self._locked.get(name)
        return tuple(
            sorted(
                (
                    entry
                    for entry in self._index(name)
                    if entry.version == locked or entry.choosable
                ),
                key=lambda entry: Version.parse(entry.version),
                reverse=True,
            )
        )
