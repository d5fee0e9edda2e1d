"""What the registry has of a catalogue's packages already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, select

from modelshelf.registry import handles, tables
from modelshelf.registry.handles import Named
from modelshelf.registry.importing.names import ACCOUNT

_BATCH = 300


class Was(NamedTuple):
    """A release that is here: its number, whose it is, and what was imported of it, if it was."""

    number: int
    account: str
    described: bool
    handle: str | None = None
    digest: str | None = None


class Here(NamedTuple):
    """Publishers (whether imports own them), packages (releases by version), handles → packages."""

    publishers: dict[str, bool]
    packages: dict[str, dict[str, Was]]
    handles: dict[str, Named]


def read(
    connection: Connection, hub: str, publishers: Iterable[str], called: Iterable[str]
) -> Here:
    """All that matters of the publishers named so, and of the packages that are `called` so."""
    known = handles.known(connection, hub, called)
    wanted = sorted({*publishers, *(each.publisher for each in known.values())})
    standing: dict[str, bool] = {}
    packages: dict[str, dict[str, Was]] = {}
    for batch in _batches(wanted):
        standing |= _standing(connection, batch)
        for full, version, was in _releases(connection, batch):
            found = packages.setdefault(full, {})
            if version is not None and was is not None:
                found[version] = was
    return Here(standing, packages, known)


def _standing(connection: Connection, publishers: list[str]) -> dict[str, bool]:
    of, member = tables.publishers.c, tables.members.c
    query = (
        select(of.name, member.account)
        .outerjoin(tables.members, (member.publisher == of.name) & (member.account == ACCOUNT))
        .where(of.name.in_(publishers))
    )
    return {row.name: row.account is not None for row in connection.execute(query)}


def _releases(
    connection: Connection, publishers: list[str]
) -> Iterator[tuple[str, str | None, Was | None]]:
    """Packages without a release come too, as those with one: (name, version, release)."""
    package, of, by = tables.packages.c, tables.releases.c, tables.imports.c
    query = (
        select(
            package.publisher, package.name, of.version, of.number, of.account, of.described,
            by.handle, by.digest,
        )
        .outerjoin(
            tables.releases, (of.publisher == package.publisher) & (of.name == package.name)
        )
        .outerjoin(
            tables.imports,
            (by.publisher == of.publisher) & (by.name == of.name) & (by.version == of.version),
        )
        .where(package.publisher.in_(publishers))
    )  # fmt: skip
    for row in connection.execute(query):
        was = None
        if row.version is not None:
            was = Was(row.number, row.account, bool(row.described), row.handle, row.digest)
        yield f"{row.publisher}/{row.name}", row.version, was


def _batches(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
