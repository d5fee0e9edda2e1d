"""What became of a catalogue: values for people and programs."""

from __future__ import annotations

import msgspec

from modelshelf.package.catalogue import Outcome


class Renamed(msgspec.Struct, frozen=True):
    """A package that could not keep the name of the catalogue."""

    wanted: str
    name: str
    reason: str


class Passed(msgspec.Struct, frozen=True):
    """A package, or the handle of a release, that could not come, and why."""

    what: str
    reason: str


class Supplied(msgspec.Struct, frozen=True):
    """A release whose files came: it can be installed from now on.

    `left_out` are packages that its page links to, and that have no files here or do not fit.
    """

    release: str
    files: int
    size: int
    source: str
    left_out: tuple[str, ...] = ()


class Failed(msgspec.Struct, frozen=True):
    """A release whose files did not come, and why; it stays described."""

    release: str
    reason: str


class Accounted(msgspec.Struct, frozen=True):
    """So many pages of one kind were imported, merged into others, or skipped."""

    outcome: Outcome
    kind: str
    pages: int


class Report(msgspec.Struct, frozen=True):
    """All of it. `pages` counts every page of the catalogue, `skipped` says why some came to nothing.

    Releases are `NAME@VERSION`; `unchanged` counts those that say the same as before.

    `kept` are releases that have files or changed hands: what the catalogue says of them now counts
    for nothing. With `dry_run` it is what would become of it.
    """

    catalogue: str
    packages: int
    releases: int
    pages: tuple[Accounted, ...] = ()
    skipped: tuple[Passed, ...] = ()
    dry_run: bool = False
    new_packages: int = 0
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    passed: tuple[Passed, ...] = ()
    supplied: tuple[Supplied, ...] = ()
    failed: tuple[Failed, ...] = ()
