"""What newer releases there are of what a shelf holds; nothing is changed."""

from __future__ import annotations

from typing import NamedTuple

from modelshelf.client.remote import newest
from modelshelf.client.resolve import Index
from modelshelf.package.entry import AXES, LEVELS, Entry
from modelshelf.package.lock import Lock
from modelshelf.package.record import Dependency
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version, level


class Outdated(NamedTuple):
    """One package: installed, newest inside the range asked for, newest at all.

    `level` is how large the step to `wanted` is, or to `latest` where the range keeps it back:
    what the versions claim, or more where a release on the way overrides that. `axes` are what
    moved on the way.
    """

    name: str
    current: str
    wanted: str
    latest: str
    level: str | None
    alert: str | None
    axes: tuple[str, ...] = ()


def outdated(lock: Lock, index: Index) -> list[Outdated]:
    """The packages of `lock` that a newer release or a warning concerns, by name."""
    rows = []
    for package in lock.packages:
        entries = index(package.name)
        here = next((each for each in entries if each.version == package.version), None)
        current = Version.parse(package.version)
        wanted = max((*_inside(entries, lock.requirements.get(package.name)), current))
        latest = max(current, Version.parse(newest(entries).version))
        alert = _alert(here)
        if latest > current or alert:
            target = wanted if wanted > current else latest
            step, axes = _step(entries, current, target)
            rows.append(
                Outdated(package.name, package.version, str(wanted), str(latest), step, alert, axes)
            )
    return rows


def _step(
    entries: tuple[Entry, ...], current: Version, target: Version
) -> tuple[str | None, tuple[str, ...]]:
    """The level of the step from one version to another, and what moves on the way."""
    if target <= current:
        return None, ()
    changes = [
        each.change
        for each in entries
        if each.change and current < Version.parse(each.version) <= target
    ]
    levels = (level(current, target), *(each.level for each in changes if each.override))
    moved = {axis for each in changes for axis in each.axes}
    return max(levels, key=LEVELS.index), tuple(axis for axis in AXES if axis in moved)


def _inside(entries: tuple[Entry, ...], wanted: Dependency | None) -> list[Version]:
    requirement = Requirement.parse(wanted.version if wanted else "*")
    versions = [Version.parse(each.version) for each in entries if each.choosable]
    return [each for each in versions if requirement.matches(each)]


def _alert(entry: Entry | None) -> str | None:
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
