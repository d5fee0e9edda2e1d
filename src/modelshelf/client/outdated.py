"""What newer releases there are of what a shelf holds; nothing is changed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from modelshelf.checks.notes import MetricChange
from modelshelf.checks.safety.consent import carries_code
from modelshelf.client.install import Plan, Stock, plan
from modelshelf.client.remote import newest
from modelshelf.client.sources import Index
from modelshelf.client.step import LicenseChange, step
from modelshelf.client.transfer import Wanted
from modelshelf.errors import NotFound, ShelfError
from modelshelf.package.entry import Axis, Entry, Level, advisory
from modelshelf.package.environment import Environment
from modelshelf.package.graph import needed_by
from modelshelf.package.lock import Lock, Locked, locked
from modelshelf.package.manifest import Project
from modelshelf.package.requirement import Requirement
from modelshelf.package.variant import selected
from modelshelf.package.version import Version


class Outdated(msgspec.Struct, frozen=True, kw_only=True):
    """One package: installed, what `upgrade` would bring, the newest at all.

    The other fields are about the step to `wanted`, or to `latest` where the ranges keep it back;
    see `step.Step`. `bytes_to_fetch` holds what comes because of the step as well.
    """

    name: str
    current: str
    wanted: str
    latest: str
    level: Level | None
    axes: tuple[Axis, ...]
    metrics: tuple[MetricChange, ...]
    license_change: LicenseChange | None
    bytes_to_fetch: int
    advisory: str | None


def outdated(
    project: Project,
    lock: Lock,
    index: Index,
    *,
    environment: str,
    stock: Stock,
    now: datetime,
) -> list[Outdated]:
    """The packages of `lock` that a newer release or a warning concerns, by name."""
    try:
        planned = plan(
            project, index, lock, environment=environment, stock=stock, now=now,
            fresh=[each.name for each in lock.packages], consent=True,
        )  # fmt: skip
    except ShelfError:
        planned = None  # the ranges contradict by now: `upgrade` tells how
    seen = lock.of(environment)
    fetched = _bytes(planned, seen) if planned else {}
    asked = _Asked(project, seen, environment, stock, planned, fetched)
    rows = [_row(asked, package, _entries(index, package)) for package in seen.packages]
    return [row for row in rows if row.advisory or {row.wanted, row.latest} != {row.current}]


class _Asked(NamedTuple):
    """What rows are made of, beside their package."""

    project: Project
    lock: Lock
    environment: str
    stock: Stock
    planned: Plan | None
    fetched: dict[tuple[str, str], int]


def _bytes(planned: Plan, seen: Lock) -> dict[tuple[str, str], int]:
    """What the upgrade fetches for each package that moves, with all that comes because of it.

    Files that several need count once, so that the sum is what is fetched.
    """
    moved = {
        (each.name, each.isolated): new
        for each in seen.packages
        if (new := planned.held.find(each.name, each.isolated)) and new.version != each.version
    }
    left = {key: sum(file.moved for file in files) for key, files in planned.fetch.items()}
    found = {key: left.pop(key, 0) for key in moved}
    for key, package in moved.items():
        waiting = [package]
        while waiting:
            for on, _ in waiting.pop().needed():
                below = on, package.isolated
                needed = planned.held.find(*below)
                if needed and below in left:
                    found[key] += left.pop(below)
                    waiting.append(needed)
    return found


def raised(project: Project, names: set[str], index: Index) -> Project:
    """The project with the ranges of `names` moved to their newest releases, where those are outside."""
    wanted = {}
    for name, need in project.dependencies.items():
        latest = newest(index(name, None).entries).version if name in names else None
        ahead = latest and _is_ahead(Version.parse(latest), Requirement.parse(need.version))
        wanted[name] = msgspec.structs.replace(need, version=f"^{latest}") if ahead else need
    return msgspec.structs.replace(project, dependencies=wanted)


def _is_ahead(latest: Version, asked: Requirement) -> bool:
    """Whether a version lies beyond a range, not in it and not before it (a pre-release is asked for)."""
    lowest = [each.low for each in asked.ranges if each.low]
    return not asked.matches(latest) and all(low < latest for low in lowest)


def _entries(index: Index, package: Locked) -> tuple[Entry, ...]:
    try:
        return index(package.name, package.registry).entries
    except NotFound:
        return ()


def _row(asked: _Asked, package: Locked, entries: tuple[Entry, ...]) -> Outdated:
    current = Version.parse(package.version)
    target = asked.planned.held.find(package.name, package.isolated) if asked.planned else None
    if target:
        wanted = target.version
    else:  # what goes with an upgrade stays as it is until then
        wanted = package.version if asked.planned else _inside(package, entries, asked.project)
    latest = max(current, Version.parse(newest(entries).version)) if entries else current
    aim = wanted if wanted != package.version else str(latest)
    if target is None or target.version != aim:
        target = _at(asked, package, next((e for e in entries if e.version == aim), None))
    found = None
    if target is not None and aim != package.version:
        planned = asked.fetched.get((package.name, package.isolated))
        size = _cost(asked.stock, target) if planned is None else planned
        found = step(package, target, entries, size)
    return Outdated(
        name=package.name,
        current=package.version,
        wanted=wanted,
        latest=str(latest),
        level=found.level if found else None,
        axes=found.axes if found else (),
        metrics=found.metrics if found else (),
        license_change=found.license_change if found else None,
        bytes_to_fetch=found.bytes_to_fetch if found else 0,
        advisory=advisory(next((e for e in entries if e.version == package.version), None)),
    )


def _cost(stock: Stock, target: Locked) -> int:
    """What bringing the files of one release alone moves."""
    files = {each.sha256: each.size for each in target.installed_files()}
    missing = [Wanted(*each) for each in files.items() if not stock.has(each[0])]
    return sum(stock.costs(target.registry, missing).values()) if missing else 0


def _at(asked: _Asked, package: Locked, entry: Entry | None) -> Locked | None:
    """What the lock would say of `package` at another release; None where that lacks the models."""
    if entry is None:
        return None
    place = asked.project.places.get(asked.environment, Environment())
    here = (asked.environment,)
    try:
        found = {
            key: here
            for link in needed_by(asked.lock, package)
            for key in selected(entry, link.need, place, carries_code)
        }
    except NotFound:
        return None
    return locked(entry, package.registry, found, package.isolated)


def _inside(package: Locked, entries: tuple[Entry, ...], project: Project) -> str:
    """The newest release in the range asked for, where no plan tells more."""
    need = project.dependencies.get(package.name)
    asked = Requirement.parse(need.version if need else "*")
    versions = [Version.parse(each.version) for each in entries if each.choosable]
    current = Version.parse(package.version)
    return str(max((*(each for each in versions if asked.matches(each)), current)))
