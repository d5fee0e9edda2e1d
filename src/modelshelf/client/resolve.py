"""Wanted packages → chosen releases: index entries on one side, the solver's masks on the other.

Every environment is solved for itself, and in it every isolated package; what is locked is kept
where it can be, and what was chosen for one environment is taken for the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import permutations, product
from typing import NamedTuple

from modelshelf.checks.safety.consent import carries_code
from modelshelf.client.described import require_files
from modelshelf.client.sources import Index
from modelshelf.errors import NotFound, Refused, Unsatisfiable
from modelshelf.package.condition import typed
from modelshelf.package.entry import Entry
from modelshelf.package.environment import Environment, unmet
from modelshelf.package.lock import Lock
from modelshelf.package.manifest import Project, Resolution
from modelshelf.package.python_needs import conflict, needed, needs_anything
from modelshelf.package.record import Dependency, Requires
from modelshelf.package.requirement import Requirement
from modelshelf.package.rules import AGE, moment
from modelshelf.package.variant import fits, selected
from modelshelf.package.version import Version
from modelshelf.solver.explain import explain
from modelshelf.solver.solve import ABSENT, NoSolution, solve
from modelshelf.solver.solve import Requirement as Fact

longest_explanation = 30
"""How many sentences of a proof a person is shown."""

Choice = dict[tuple[str, str], dict[str, Entry]]
"""By environment and isolated package (`""` for what all share): package name → its release."""


def resolve(
    project: Project,
    index: Index,
    lock: Lock,
    *,
    now: datetime,
    fresh: Collection[str] = (),
    root: str = "this shelf",
) -> Choice:
    """One release of every package that `project` needs, directly or not, in each environment.

    Locked releases are preferred but for those `fresh`, then the newest. Yanked, quarantined and
    blocked ones, and those that are too new for `project.resolution` at `now`, count only where
    they are locked; what an environment cannot use counts nowhere. Raises NotFound for an unknown
    package or variant that is wanted directly, Refused for a package that is blocked,
    Unsatisfiable with the derivation otherwise.
    """
    limit = _limit(project.resolution, now)
    found: Choice = {}
    for environment in sorted(project.places):
        for isolated, wanted in _roots(project.dependencies):
            locked = _versions(lock, environment, isolated, fresh)
            taken = {n: e.version for known in reversed(found.values()) for n, e in known.items()}
            releases = _Releases(index, project.places[environment], locked, taken | locked, limit)
            told = root if len(project.places) == 1 else f"{root} in {environment}"
            found[environment, isolated] = _solved(releases, wanted, told)
    return found


def _roots(wanted: Mapping[str, Dependency]) -> Iterator[tuple[str, dict[str, Dependency]]]:
    """What is solved together: all that share, then each isolated package for itself."""
    yield "", {name: wanted[name] for name in sorted(wanted) if not wanted[name].isolated}
    for name in sorted(wanted):
        if wanted[name].isolated:
            yield name, {name: wanted[name]}


def _versions(
    lock: Lock, environment: str, isolated: str, fresh: Collection[str]
) -> dict[str, str]:
    """The locked version of each package there; a lock made from a merge is for all environments."""
    seen = lock.of(environment) if environment in lock.names and lock.requirements else lock
    return {
        each.name: each.version
        for each in seen.packages
        if each.name not in fresh and each.isolated == isolated
    }


def _limit(resolution: Resolution, now: datetime) -> str | None:
    """The moment after which a release is too new, as the index writes times; None: none is."""
    limits = []
    if resolution.exclude_newer:
        limits.append(moment(resolution.exclude_newer))
    if age := AGE.fullmatch(resolution.min_release_age or ""):
        limits.append(now - timedelta(**{f"{age[2]}s": int(age[1])}))
    return min(limits).strftime("%Y-%m-%dT%H:%M:%S") if limits else None


def _solved(releases: _Releases, wanted: Mapping[str, Dependency], root: str) -> dict[str, Entry]:
    for name, need in wanted.items():
        releases.require(name, need, root)
    mask = {releases.number(n, need): releases.mask(n, need) for n, need in wanted.items()}
    try:
        chosen = solve(releases, mask)
        while releases.contradicts(chosen, wanted):
            chosen = solve(releases, mask)
    except NoSolution as failure:
        told = explain(failure, releases.words, required=releases.asked(wanted), root=root)
        cut = [f"(and {len(told) - longest_explanation} more steps)", told[-1]]
        shown = told if len(told) <= longest_explanation else [*told[:longest_explanation], *cut]
        raise Unsatisfiable(
            "\n".join(shown), hint="relax one of these ranges in shelf.toml, or isolate a package"
        ) from None
    return {releases.names[p]: releases.entries(p)[i - 1] for p, i in chosen.items()}


class _Releases:
    """`solver.Provider` over index entries: package numbers to names, bits to releases."""

    def __init__(
        self,
        index: Index,
        environment: Environment,
        locked: Mapping[str, str],
        preferred: Mapping[str, str],
        limit: str | None,
    ) -> None:
        self._index = index
        self._environment = environment
        self._locked = locked
        self._preferred = preferred
        self._limit = limit
        self._registry: dict[str, str | None] = {}
        self._entries: dict[int, tuple[Entry, ...]] = {}
        self._numbers: dict[str, int] = {}
        self._rising: dict[int, list[Version]] = {}
        self._inside: dict[tuple[int, str], int] = {}
        self._fitting: dict[tuple[object, ...], int] = {}
        self._python: dict[tuple[int, int], dict[int, tuple[int, str]]] = {}
        self._roles: dict[tuple[object, ...], int] = {}
        self._described: set[int] = set()
        self.names: list[str] = []

    def number(self, name: str, need: Dependency) -> int:
        """The integer that stands for `name`."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
            self._registry[name] = need.registry
        elif need.registry:
            with suppress(NotFound):
                self._index(name, need.registry)  # refuses a second one
        return self._numbers[name]

    def require(self, name: str, need: Dependency, root: str) -> None:
        """Raise what tells a person most where nothing answers a direct want of `root`."""
        offer = self._index(name, need.registry)
        number = self.number(name, need)
        usable = self.entries(number)
        if not usable and any(each.scan and each.scan.withholds for each in offer.entries):
            raise Refused(
                f"every release of {name} that could be chosen is blocked by the registry's scanner",
                hint="the registry's operator can let a release through",
            )
        asked = Requirement.parse(need.version)
        inside = self._in_range(number, asked)
        if not inside:
            require_files(name, offer.entries, asked)
        left_out = [] if inside else [e for e in offer.entries if e.choosable]
        if found := [e for e in left_out if asked.matches(Version.parse(e.version))]:
            newest = max(found, key=lambda each: Version.parse(each.version))
            raise Unsatisfiable(
                f"no release of {name} {need.version} can be chosen for {root}: "
                f"{newest.version} {self._kept_from(newest)}",
                hint="ask for another range, or change what shelf.toml says of the environment",
            )
        if inside and not self.mask(name, need):
            newest = usable[(inside & -inside).bit_length() - 2]
            selected(newest, need, self._environment, carries_code)

    def entries(self, package: int) -> tuple[Entry, ...]:
        """The releases that may be chosen, newest first; none for an unknown package."""
        if package not in self._entries:
            name = self.names[package]
            try:
                offered = self._index(name, self._registry[name]).entries
            except NotFound:
                offered = ()
            found = [(Version.parse(e.version), e) for e in offered if self._usable(e)]
            found.sort(key=lambda each: each[0], reverse=True)
            if not found and any(each.described for each in offered):
                self._described.add(package)
            self._entries[package] = tuple(entry for _, entry in found)
            self._rising[package] = [version for version, _ in reversed(found)]
        return self._entries[package]

    def _usable(self, entry: Entry) -> bool:
        locked = entry.version == self._locked.get(entry.name)
        new = self._limit is not None and entry.published[:19] > self._limit
        return (locked or (entry.choosable and not new)) and not any(
            unmet(entry.requires, self._environment)
        )

    def _kept_from(self, entry: Entry) -> str:
        if self._limit is not None and entry.published[:19] > self._limit:
            return f"is too new: it was published {entry.published}"
        return f"does not fit: {', '.join(unmet(entry.requires, self._environment))}"

    def mask(self, name: str, need: Dependency) -> int:
        """The releases of `name` inside the range that offer what is asked for."""
        number = self.number(name, need)
        inside = (number, need.version)
        if inside not in self._inside:
            self._inside[inside] = self._in_range(number, Requirement.parse(need.version))
        pins = (number, *_pins(need))
        if pins not in self._fitting:
            self._fitting[pins] = sum(
                1 << bit
                for bit, entry in enumerate(self.entries(number), start=1)
                if fits(entry, need, self._environment)
            )
        return self._inside[inside] & self._fitting[pins]

    def _in_range(self, number: int, asked: Requirement) -> int:
        """Ranges are intervals of the sorted versions; only pre-releases are looked at one by one."""
        count, rising = self.count(number), self._rising[number]
        first = max((bisect_left(rising, each.low) for each in asked.ranges if each.low), default=0)
        last = min(
            (bisect_left(rising, each.high) for each in asked.ranges if each.high), default=count
        )
        if first >= last:
            return 0
        mask = ((1 << (last - first)) - 1) << (count - last + 1)
        for place in range(first, last):
            if rising[place].prerelease and not asked.matches(rising[place]):
                mask &= ~(1 << (count - place))
        return mask

    def count(self, package: int) -> int:
        """How many releases may be chosen."""
        return len(self.entries(package))

    def dependencies(self, package: int, index: int) -> Mapping[int, int]:
        """What release `index` (from 1) needs, and what it goes with."""
        entry = self.entries(package)[index - 1]
        needs: dict[int, int] = {}
        if self._is_role(package):
            needs[self._numbers[entry.name]] = 1 << index
        else:
            for name, need in entry.dependencies.items():
                number, mask = self.number(name, need), self.mask(name, need)
                needs[number] = mask | (need.kind == "base")
                role = self._roles.get((number, *_pins(need)))
                if role is not None and need.kind != "base":
                    needs[role] = mask
        for other, (allowed, _) in self._python.get((package, index), {}).items():
            needs[other] = needs.get(other, -1) & allowed
        return needs

    def contradicts(self, chosen: Mapping[int, int], wanted: Mapping[str, Dependency]) -> bool:
        """Whether two of the releases need what one Python cannot have; remembers it if so.

        Python packages count whatever the format, as `sync` warns of them: callers may need them.
        """
        asked = self._asked_for(chosen, wanted)
        needing = [
            (package, place)
            for package, place in chosen.items()
            if not self._is_role(package)
            and needs_anything(self.entries(package)[place - 1].requires)
        ]
        return any(self._contradict(*pair, asked) for pair in permutations(needing, 2))

    def _contradict(
        self, one: tuple[int, int], two: tuple[int, int], asked: Mapping[str, _Asked]
    ) -> bool:
        """The same of two releases; what is remembered holds whoever else asks for them."""
        (package, place), (other, its_place) = one, two
        mine, theirs = asked[self.names[package]], asked[self.names[other]]
        if not conflict(self._needs(*one, mine.every), self._needs(*two, theirs.every)):
            return False
        for (needs, role), (its_needs, its_role) in product(mine.causes(), theirs.causes()):
            own = self._needs(package, place, needs)
            if reason := conflict(own, self._needs(other, its_place, its_needs)):
                allowed = sum(
                    1 << bit
                    for bit in range(1, self.count(other) + 1)
                    if conflict(own, self._needs(other, bit, its_needs)) is None
                )
                known = self._python.setdefault((self._role(package, role), place), {})
                its_number = self._role(other, its_role)
                before, _ = known.get(its_number, (-1, ""))
                known[its_number] = before & (allowed | ABSENT), reason
                return True
        return False

    def _role(self, package: int, need: Dependency | None) -> int:
        """The number of a package as `need` asks for it.

        It has the same releases and goes with the package itself, but only where something asks so.
        """
        if need is None:
            return package
        key = (package, *_pins(need))
        if key not in self._roles:
            self._roles[key] = len(self.names)
            self.names.append(self.names[package])
            self._entries[self._roles[key]] = self.entries(package)
        return self._roles[key]

    def _is_role(self, package: int) -> bool:
        return self._numbers[self.names[package]] != package

    def _asked_for(
        self, chosen: Mapping[int, int], wanted: Mapping[str, Dependency]
    ) -> dict[str, _Asked]:
        asked = {self.names[package]: _Asked([], []) for package in chosen}
        for name, need in wanted.items():
            asked[name].always.append(need)
        for package, place in chosen.items():
            for name, need in self.entries(package)[place - 1].dependencies.items():
                if need.kind != "base":
                    asked[name].here.append(need)
        return asked

    def _needs(self, package: int, place: int, asked: Iterable[Dependency]) -> Requires:
        """What of `[requires]` counts: Python packages, and frameworks of formats to be installed."""
        entry = self.entries(package)[place - 1]
        if not needs_anything(entry.requires):
            return entry.requires
        formats = {
            format_name
            for need in asked
            if fits(entry, need, self._environment)
            for _, format_name, _ in selected(entry, need, self._environment, carries_code)
        }
        return needed(entry.requires, dict.fromkeys((*formats, "any"), True))

    def preferred(self, package: int) -> int:
        """The locked release, else the one taken elsewhere, as a mask."""
        version = self._preferred.get(self.names[package])
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
                return f"{name} {typed(wanted[name])}"
            place = (fact.versions & -fact.versions).bit_length() - 1
            need = self.entries(fact.package)[place - 1].dependencies.get(name)
            _, reason = self._python.get((fact.package, place), {}).get(fact.on, (0, ""))
            ranged = f"{name} {typed(need)}" if need else f"other releases of {name}"
            if self._is_role(fact.package) and fact.on == self._numbers[self.names[fact.package]]:
                return "itself"
            ranged += ", which is only described" if fact.on in self._described else ""
            if fact.allowed == ABSENT:
                ranged = name  # works only without it
            return f"{ranged} ({reason})" if reason else ranged

        return words


class _Asked(NamedTuple):
    """Needs of one package: those of the shelf, and those of the releases chosen with it."""

    always: list[Dependency]
    here: list[Dependency]

    @property
    def every(self) -> list[Dependency]:
        """All of them."""
        return self.always + self.here

    def causes(self) -> Iterator[tuple[list[Dependency], Dependency | None]]:
        """What to blame, the least first: needs, and the one that is not always there."""
        yield self.always, None
        for need in self.here:
            yield [*self.always, need], need
        yield self.every, None  # several needs together: frameworks that are one distribution


def _pins(need: Dependency) -> tuple[object, ...]:
    return need.variants, need.format, need.context, need.where
