"""Releases that the scanner blocks: chosen nowhere, kept where they are locked."""

from __future__ import annotations

import pytest

from modelshelf.client.outdated import outdated
from modelshelf.client.remote import newest
from modelshelf.client.resolve import resolve
from modelshelf.errors import Refused
from modelshelf.package.entry import Entry, Scan
from modelshelf.package.lock import Lock, Locked
from modelshelf.package.record import Artifact, Dependency, Variant

NAME = "acme/scale"
HARMLESS, BLOCKED = Scan("note", 1), Scan("blocked", 1)
LET_THROUGH = Scan("blocked", 1, "looked at")


def entry(version: str, scan: Scan | None = HARMLESS) -> Entry:
    variants = (Variant("small", (Artifact("onnx", ("small.onnx",)),)),)
    return Entry(NAME, version, "c" * 40, 1, "d" * 64, "", (), variants, scan=scan)


def locked(version: str) -> Lock:
    package = Locked(NAME, version, "http://r.example", "d" * 64, "c" * 40, 1, "")
    return Lock({NAME: Dependency("*")}, (package,))


@pytest.mark.parametrize(
    ("scan", "chosen"),
    [(HARMLESS, "1.1.0"), (None, "1.1.0"), (LET_THROUGH, "1.1.0"), (BLOCKED, "1.0.0")],
)
def test_what_is_chosen_anew(scan: Scan | None, chosen: str) -> None:
    entries = (entry("1.0.0"), entry("1.1.0", scan))
    found = resolve({NAME: Dependency("*")}, lambda _name: entries, Lock({}, ()))
    assert found[NAME].version == chosen
    assert newest(entries).version == chosen


def test_what_is_locked_is_kept_and_warned_of() -> None:
    entries = (entry("1.0.0"), entry("1.1.0", BLOCKED))
    lock = locked("1.1.0")
    found = resolve({NAME: Dependency("*")}, lambda _name: entries, lock)
    assert found[NAME].version == "1.1.0"
    (row,) = outdated(lock, lambda _name: entries)
    assert row.alert == "blocked by the registry's scanner"


def test_where_all_is_blocked_nothing_is_chosen() -> None:
    entries = (entry("1.0.0", BLOCKED),)
    with pytest.raises(Refused):
        resolve({NAME: Dependency("*")}, lambda _name: entries, Lock({}, ()))
