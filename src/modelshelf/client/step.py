"""What an upgrade means for a model: what may break, what moved, how good, how large, what rights.

Told from the index alone, before anything is fetched (the paper's 5.3 and 6.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelshelf.checks.notes import MetricChange, metric_changes
from modelshelf.client.remote import Registry
from modelshelf.errors import ShelfError
from modelshelf.package.entry import AXES, LEVELS, Axis, Entry, Level
from modelshelf.package.license import grants
from modelshelf.package.lock import Locked
from modelshelf.package.record import Record, is_text
from modelshelf.package.version import Version, level

most_releases = 20
"""Of so many releases on the way the notes are asked for."""
longest_notes_bytes = 64 << 10


class LicenseChange(msgspec.Struct, frozen=True):
    """The license before and after; `narrowed` where something allowed before is not any more."""

    before: str | None
    after: str | None
    narrowed: bool


class Notes(msgspec.Struct, frozen=True):
    """What the publisher says is new in one release."""

    version: str
    text: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One package from one release to another, maybe of its successor (`package`).

    `level` tells whether callers may break: what the versions claim, or more where a release on
    the way overrides that. `axes` are what moved on the way; `unverified` where weights moved and
    nothing tells how they behave. `bytes` are those of the installed files before and after.
    """

    name: str
    package: str
    before: str
    after: str
    level: Level | None
    axes: tuple[Axis, ...]
    unverified: bool
    metrics: tuple[MetricChange, ...]
    license_change: LicenseChange | None
    bytes: tuple[int, int]
    bytes_to_fetch: int
    notes: tuple[Notes, ...] = ()


def step(old: Locked, new: Locked, entries: Sequence[Entry], bytes_to_fetch: int) -> Step:
    """From the release `old` of a package to `new`; `entries` are all releases of both packages."""
    before, after = Version.parse(old.version), Version.parse(new.version)
    told = {(each.name, each.version): each for each in entries}
    was, now = told.get((old.name, old.version)), told.get((new.name, new.version))
    moved, axes = _moved(entries, old, new, before, after)
    rights = LicenseChange(old.license, new.license, not grants(new.license, old.license))
    return Step(
        name=old.name,
        package=new.name,
        before=old.version,
        after=new.version,
        level=moved,
        axes=axes,
        unverified=any(e.change.unverified for e in on_the_way(entries, before, after) if e.change),
        metrics=tuple(_metrics(was, now, {each.variant for each in new.installed})),
        license_change=rights if old.license != new.license else None,
        bytes=(_size(old), _size(new)),
        bytes_to_fetch=bytes_to_fetch,
    )


def on_the_way(entries: Sequence[Entry], before: Version, after: Version) -> list[Entry]:
    """The releases after `before` up to `after`, the oldest first."""
    found = [(Version.parse(each.version), each) for each in entries]
    inside = [each for each in found if before < each[0] <= after]
    return [entry for _, entry in sorted(inside, key=lambda each: each[0])]


def _moved(
    entries: Sequence[Entry], old: Locked, new: Locked, before: Version, after: Version
) -> tuple[Level | None, tuple[Axis, ...]]:
    """The level and the axes of a step; a successor is another algorithm, and nobody compared it."""
    if old.name != new.name:
        return "major", ("algorithm",)
    if after <= before:
        return None, ()
    changes = [each.change for each in on_the_way(entries, before, after) if each.change]
    levels = (level(before, after), *(each.level for each in changes if each.override))
    axes = {axis for each in changes for axis in each.axes}
    found = max(LEVELS.index(each) for each in levels)
    return LEVELS[found], tuple(axis for axis in AXES if axis in axes)


def _metrics(was: Entry | None, now: Entry | None, variants: set[str]) -> Iterator[MetricChange]:
    """The metrics of the installed variants that both releases state."""
    for each in metric_changes(was.variants if was else (), now.variants if now else ()):
        if each.variant in variants and None not in (each.old, each.new):
            yield each


def _size(package: Locked) -> int:
    return sum(file.size for file in package.installed_files())


def notes(registry: Registry, entries: Sequence[Entry], found: Step) -> tuple[Notes, ...]:
    """The publisher's words on every release of the step; what cannot be had is left out."""
    same = [each for each in entries if each.name == found.package]
    if found.name == found.package:
        before, after = Version.parse(found.before), Version.parse(found.after)
        on_way = on_the_way(same, before, after)
    else:
        on_way = [each for each in same if each.version == found.after]
    told = ((each.version, _text(registry, each)) for each in on_way[-most_releases:])
    return tuple(Notes(version, text) for version, text in told if text)


class _Described(msgspec.Struct, frozen=True):
    record: Record


def _text(registry: Registry, entry: Entry) -> str | None:
    try:
        document = registry.manifest(entry.manifest)
        written = msgspec.json.decode(document, type=_Described).record.package.notes
        if written is None or is_text(written):
            return written
        file = next(each for each in entry.files if each.path == written)
        if file.size > longest_notes_bytes:
            return f"see {written}"
        return registry.manifest(file.sha256).decode(errors="replace")
    except (ShelfError, msgspec.MsgspecError, StopIteration):
        return None
