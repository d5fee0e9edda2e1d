"""Releases that the scanner blocks: chosen nowhere, kept where they are locked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelshelf.client.install import Stock
from modelshelf.client.outdated import outdated
from modelshelf.client.remote import newest
from modelshelf.client.resolve import resolve
from modelshelf.client.sources import Index, Offer
from modelshelf.errors import Refused
from modelshelf.package.entry import Entry, File, Scan
from modelshelf.package.lock import Lock, locked
from modelshelf.package.manifest import Project
from modelshelf.package.record import Artifact, Dependency, Variant

NAME = "acme/scale"
FILES = (File("small.onnx", 1, "e" * 64, "", ""),)
HARMLESS, BLOCKED = Scan("note", 1), Scan("blocked", 1)
LET_THROUGH = Scan("blocked", 1, "looked at")


def entry(version: str, scan: Scan | None = HARMLESS) -> Entry:
    variants = (Variant("small", (Artifact("onnx", ("small.onnx",)),)),)
    return Entry(NAME, version, "c" * 40, 1, "d" * 64, "", FILES, variants, scan=scan)


PROJECT = Project({NAME: Dependency("*")})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def index(*entries: Entry) -> Index:
    return lambda _name, _registry: Offer("http://r.example", entries)


def chosen(entries: tuple[Entry, ...], lock: Lock) -> str:
    return resolve(PROJECT, index(*entries), lock, now=NOW)["default", ""][NAME].version


def held(version: str) -> Lock:
    package = locked(entry(version), "http://r.example", {("small", "onnx", None): ("default",)})
    return Lock(PROJECT.dependencies, {}, (package,))


@pytest.mark.parametrize(
    ("scan", "expected"),
    [(HARMLESS, "1.1.0"), (None, "1.1.0"), (LET_THROUGH, "1.1.0"), (BLOCKED, "1.0.0")],
)
def test_what_is_chosen_anew(scan: Scan | None, expected: str) -> None:
    entries = (entry("1.0.0"), entry("1.1.0", scan))
    assert chosen(entries, Lock()) == expected
    assert newest(entries).version == expected


def test_what_is_locked_is_kept_and_warned_of() -> None:
    entries = (entry("1.0.0"), entry("1.1.0", BLOCKED))
    lock = held("1.1.0")
    assert chosen(entries, lock) == "1.1.0"
    (row,) = outdated(
        PROJECT,
        lock,
        index(*entries),
        environment="default",
        stock=Stock(lambda _: True, lambda *_: {}),
        now=NOW,
    )
    assert row.advisory == "blocked by the registry's scanner"
    assert (row.current, row.wanted) == ("1.1.0", "1.0.0")


def test_where_all_is_blocked_nothing_is_chosen() -> None:
    entries = (entry("1.0.0", BLOCKED),)
    with pytest.raises(Refused):
        chosen(entries, Lock())
