"""What newer releases there are of what a shelf holds; nothing is changed."""

from __future__ import annotations

from typing import NamedTuple

from modelshelf.client.remote import newest
from modelshelf.client.resolve import Index
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock
from modelshelf.package.record import Dependency
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version, level


class Outdated(NamedTuple):
    """One package: installed, newest inside the range asked for, newest at all.

    `level` is what the step to `wanted` claims, or to `latest` where the range keeps it back.
    """

    name: str
    current: str
    wanted: str
    latest: str
    level: str | None
    alert: str | None


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
            step = level(current, target) if target > current else None
            rows.append(
                Outdated(package.name, package.version, str(wanted), str(latest), step, alert)
            )
    return rows


def _inside(entries: tuple[Entry, ...], wanted: Dependency | None) -> list[Version]:
    requirement = Requirement.parse(wanted.version if wanted else "*")
    versions = [Version.parse(each.version) for each in entries if not each.yanked]
    return [each for each in versions if requirement.matches(each)]


def _alert(entry: Entry | None) -> str | None:
    """What the registry warns of, in a few words."""
    if entry is None:
        return "deleted from the registry"
    if entry.yanked:
        return f"yanked: {entry.yanked}"
    if entry.status in ("deprecated", "quarantined"):
        return entry.status + (f", use {entry.successor}" if entry.successor else "")
    return None
