"""Old names: what other hubs call releases and packages, and which ones here they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from modelshelf.errors import NotFound
from modelshelf.package.handle import ANY, Resolved, bare, versionless
from modelshelf.registry import releases, tables
from modelshelf.registry.contracts import Key

_BATCH = 400


class Named(NamedTuple):
    """A handle of a release, or (`version` is None) of a package."""

    hub: str
    handle: str
    publisher: str
    name: str
    version: str | None = None


def resolve(connection: Connection, hub: str, text: str, base_url: str = "") -> Resolved:
    """The release that `text` (a handle, or an address of the hub) leads to; raises NotFound.

    `hub` may be `any`: then the first one, by its name, that knows the handle.
    """
    found = find(connection, hub, text)
    if found is None:
        raise NotFound(
            "No package here has this handle",
            where=f"{hub}:{bare(text) or text}"[:200],
            hint="look for it with: shelf search",
        )
    package = f"{found.publisher}/{found.name}"
    version = found.version or releases.package(connection, found.publisher, found.name).latest
    assert version is not None, "a package has a release"
    page = package if found.version is None else f"{package}/{version}"
    return Resolved(package, version, f"{base_url}/{page}", found.hub, found.handle)


def find(connection: Connection, hub: str, text: str) -> Named | None:
    """Who is called so; None where nobody is."""
    columns = tables.handles.c
    query = select(tables.handles).where(columns.handle == bare(text)).order_by(columns.hub)
    if hub != ANY:
        query = query.where(columns.hub == hub)
    row = connection.execute(query.limit(1)).first()
    return None if row is None else Named(row.hub, row.handle, row.publisher, row.name, row.version)


def of_package(connection: Connection, publisher: str, name: str) -> list[Named]:
    """Everything that a package and its releases are called elsewhere."""
    query = select(tables.handles).filter_by(publisher=publisher, name=name)
    rows = connection.execute(query.order_by(tables.handles.c.handle))
    return [Named(row.hub, row.handle, row.publisher, row.name, row.version) for row in rows]


def spellings(hub: str, handle: str, url: str, key: Key) -> Iterator[Named]:
    """All handles that lead to a release, and to its package: with and without their version."""
    for each in dict.fromkeys((bare(handle), bare(url))):
        if each:
            yield Named(hub, each, *key)
            if (base := versionless(each)) != each:
                yield Named(hub, base, *key[:2])


def known(connection: Connection, hub: str, handles: Iterable[str]) -> dict[str, Named]:
    """Those of the handles that lead somewhere."""
    wanted = [*dict.fromkeys(handles)]
    columns = tables.handles.c
    found: dict[str, Named] = {}
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        query = select(tables.handles).where(columns.hub == hub, columns.handle.in_(batch))
        for row in connection.execute(query):
            found[row.handle] = Named(hub, row.handle, row.publisher, row.name, row.version)
    return found


def add(connection: Connection, named: Iterable[Named]) -> None:
    """Let handles lead somewhere; the first one that was called so stays."""
    by_hub: dict[str, dict[str, Named]] = {}
    for each in named:
        by_hub.setdefault(each.hub, {}).setdefault(each.handle, each)
    for hub, wanted in by_hub.items():
        there = known(connection, hub, wanted)
        new = [each._asdict() for handle, each in wanted.items() if handle not in there]
        if new:
            connection.execute(insert(tables.handles), new)
