"""What newer releases there are of what a shelf holds; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from modelshelf.checks.notes import MetricChange
from modelshelf.client.install import Plan, plan
from modelshelf.client.remote import newest
from modelshelf.client.sources import Index
from modelshelf.client.step import LicenseChange, Step, step
from modelshelf.errors import NotFound, ShelfError
from modelshelf.package.entry import Axis, Entry, Level
from modelshelf.package.lock import Lock, Locked
from modelshelf.package.manifest import Project
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version


class Outdated(msgspec.Struct, frozen=True, kw_only=True):
    """One package: installed, what `upgrade` would bring, the newest at all.

    The other fields are about the step to `wanted`, or to `latest` where the ranges keep it back;
    see `step.Step`. `bytes_to_fetch` is None where nobody can tell before the ranges are changed.
    """

    name: str
    current: str
    wanted: str
    latest: str
    level: Level | None
    axes: tuple[Axis, ...]
    metrics: tuple[MetricChange, ...]
    license_change: LicenseChange | None
    bytes_to_fetch: int | None
    advisory: str | None


def outdated(
    project: Project,
    lock: Lock,
    index: Index,
    *,
    environment: str,
    has: Callable[[str], bool],
    now: datetime,
) -> list[Outdated]:
    """The packages of `lock` that a newer release or a warning concerns, by name."""

    def planned(asked: Project) -> Plan | None:
        names = [each.name for each in lock.packages]
        try:
            return plan(
                asked, index, lock, environment=environment, has=has, now=now,
                fresh=names, consent=True,
            )  # fmt: skip
        except ShelfError:
            return None  # the ranges contradict by now: `upgrade` tells how

    inside = planned(project)
    packages = lock.of(environment).packages
    found = [_row(each, _entries(index, each), inside, project) for each in packages]
    beyond = {each.name for each in found if each.wanted == each.current != each.latest}
    far = planned(raised(project, beyond, index)) if beyond else None
    return [
        _further(row, package, _entries(index, package), far) if row.name in beyond else row
        for row, package in zip(found, packages, strict=True)
        if row.latest != row.current or row.wanted != row.current or row.advisory
    ]


def raised(project: Project, names: set[str], index: Index) -> Project:
    """The project with the ranges of `names` moved to their newest releases."""
    wanted = {
        name: msgspec.structs.replace(need, version=f"^{newest(index(name, None).entries).version}")
        if name in names
        else need
        for name, need in project.dependencies.items()
    }
    return msgspec.structs.replace(project, dependencies=wanted)


def _entries(index: Index, package: Locked) -> tuple[Entry, ...]:
    try:
        return index(package.name, package.registry).entries
    except NotFound:
        return ()


def _row(
    package: Locked, entries: tuple[Entry, ...], inside: Plan | None, project: Project
) -> Outdated:
    here = next((each for each in entries if each.version == package.version), None)
    target = _there(package, inside)
    found = _step(package, target, entries, inside)
    wanted = target.version if target else _inside(package, entries, project)
    latest = newest(entries).version if entries else package.version
    ahead = max(Version.parse(latest), Version.parse(package.version))
    return Outdated(
        name=package.name,
        current=package.version,
        wanted=wanted,
        latest=str(ahead),
        level=found.level if found else None,
        axes=found.axes if found else (),
        metrics=found.metrics if found else (),
        license_change=found.license_change if found else None,
        bytes_to_fetch=found.bytes_to_fetch if found else None,
        advisory=advisory(here),
    )


def _further(
    row: Outdated, package: Locked, entries: tuple[Entry, ...], far: Plan | None
) -> Outdated:
    """The row of a package that its range keeps back: about the step to the newest release."""
    target = _there(package, far)
    found = _step(package, target, entries, far)
    if found is None:
        return row
    return msgspec.structs.replace(
        row,
        level=found.level,
        axes=found.axes,
        metrics=found.metrics,
        license_change=found.license_change,
        bytes_to_fetch=found.bytes_to_fetch,
    )


def _there(package: Locked, planned: Plan | None) -> Locked | None:
    return planned.held.find(package.name, package.isolated) if planned else None


def _step(
    package: Locked, target: Locked | None, entries: tuple[Entry, ...], planned: Plan | None
) -> Step | None:
    if planned is None or target is None or target.version == package.version:
        return None
    files = planned.fetch.get((package.name, package.isolated), ())
    return step(package, target, entries, sum(each.size for each in files))


def _inside(package: Locked, entries: tuple[Entry, ...], project: Project) -> str:
    """The newest release in the range asked for, where no plan tells more."""
    need = project.dependencies.get(package.name)
    asked = Requirement.parse(need.version if need else "*")
    versions = [Version.parse(each.version) for each in entries if each.choosable]
    current = Version.parse(package.version)
    return str(max((*(each for each in versions if asked.matches(each)), current)))


def advisory(entry: Entry | None) -> str | None:
    """What the registry warns of, in a few words."""
    if entry is None:
        return "deleted from the registry"
    if entry.yanked:
        return f"yanked: {entry.yanked}"
    if entry.scan is not None and entry.scan.withholds:
        return "blocked by the registry's scanner"
    if entry.status in ("deprecated", "quarantined"):
        return entry.status + (f", use {entry.successor}" if entry.successor else "")
    return None
