"""Recipes and segments of published files: which there are, and who may read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from modelshelf.formats.spans import Span
from modelshelf.registry import tables
from modelshelf.store.recipe import MOST_PARENTS, Parent, Recipe, dumps, loads

Segment = tuple[str, str, int, int]
"""What is stored of a segment: id, base (or none), raw bytes, bytes of the blob."""
_BATCH = 500
_LAYOUT = msgspec.msgpack.Decoder(tuple[Span, ...])


def body(connection: Connection, sha256: str) -> bytes | None:
    """The recipe of a published file as it goes over the wire."""
    query = select(tables.recipes.c.body).filter_by(sha256=sha256)
    found: bytes | None = connection.execute(query).scalar()
    return found


def find(connection: Connection, sha256: str) -> Recipe | None:
    """The recipe of a published file, None where it has none yet."""
    query = (
        select(tables.recipes.c.body, tables.blobs.c.size)
        .join(tables.blobs, tables.blobs.c.sha256 == tables.recipes.c.sha256)
        .where(tables.recipes.c.sha256 == sha256)
    )
    row = connection.execute(query).first()
    return None if row is None else loads(row.body, row.size)


def layout(connection: Connection, sha256: str) -> tuple[Span, ...]:
    """Where the tensors of a published file lie, as far as its format tells."""
    query = select(tables.recipes.c.layout).filter_by(sha256=sha256)
    packed = connection.execute(query).scalar()
    return _LAYOUT.decode(packed) if packed else ()


def keep(connection: Connection, sha256: str, recipe: Recipe, spans: tuple[Span, ...]) -> None:
    """Write the recipe of a published file, and let its segments be read; it may have one already."""
    if body(connection, sha256) is not None:
        return
    add_segments(
        connection,
        (
            (identifier, "", size, stored)
            for (identifier, _, size), stored in zip(recipe.segments(), recipe.stored, strict=True)
        ),
    )
    row = {"sha256": sha256, "body": dumps(recipe)}
    packed = {"layout": msgspec.msgpack.encode(spans)} if spans else {}
    connection.execute(insert(tables.recipes), row | packed)


def keep_all(connection: Connection, found: Mapping[str, Recipe]) -> None:
    """The same for many files without tensors, by their sha256."""
    columns = tables.recipes.c
    known: set[str] = set()
    for batch in _batches([*found]):
        query = select(columns.sha256).where(columns.sha256.in_(batch))
        known |= {*connection.execute(query).scalars()}
    new = {sha256: recipe for sha256, recipe in found.items() if sha256 not in known}
    add_segments(
        connection,
        (
            (identifier, "", size, stored)
            for recipe in new.values()
            for (identifier, _, size), stored in zip(recipe.segments(), recipe.stored, strict=True)
        ),
    )
    rows = [{"sha256": sha256, "body": dumps(recipe)} for sha256, recipe in new.items()]
    if rows:
        connection.execute(insert(tables.recipes), rows)


def add_parents(
    connection: Connection, sha256: str, found: Iterable[tuple[Parent, list[Segment]]]
) -> None:
    """Tell of files that help to make this one, with the segments that are stored for that."""
    known = find(connection, sha256)
    parents = {(each.file, each.kind): each for each in known.parents} if known else {}
    for parent, rows in found:
        if any(each is not None for each in parent.stored):
            parents[parent.file, parent.kind] = parent
            add_segments(connection, rows)
    if known and (told := tuple(parents.values())) != known.parents:
        change(connection, sha256, msgspec.structs.replace(known, parents=told[-MOST_PARENTS:]))


def change(connection: Connection, sha256: str, recipe: Recipe) -> None:
    """Write a recipe anew: its parents or sizes of blobs, never its segments."""
    columns = tables.recipes.c
    body = dumps(recipe)
    connection.execute(update(tables.recipes).where(columns.sha256 == sha256).values(body=body))


def add_segments(connection: Connection, rows: Iterable[Segment]) -> None:
    """Let segments be read; those that are there stay."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = [dict(zip(("id", "base", "size", "stored"), row, strict=True)) for row in rows]
    if values:
        connection.execute(dialect.insert(tables.segments).on_conflict_do_nothing(), values)


def readable(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Those of the keys (`ID` or `ID-BASE`) that anyone may read, with their stored bytes."""
    found: dict[str, int] = {}
    for batch in _batches([*dict.fromkeys(keys)]):
        columns = tables.segments.c
        query = select(columns.id, columns.base, columns.stored)
        asked = set(batch)
        ids = {key.partition("-")[0] for key in batch}
        for row in connection.execute(query.where(columns.id.in_(ids))):
            key = f"{row.id}-{row.base}" if row.base else row.id
            if key in asked:
                found[key] = row.stored
    return found


def forget(connection: Connection, sha256: str) -> None:
    """Forget the recipe of a file; its segments may still be read."""
    connection.execute(delete(tables.recipes).where(tables.recipes.c.sha256 == sha256))


def sizes(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Raw bytes of segments, and bytes of their blobs, as far as they may be read."""
    columns = tables.segments.c
    query = select(columns.id, columns.size, columns.stored).where(columns.base == "")
    return {
        row.id: (row.size, row.stored)
        for batch in _batches([*ids])
        for row in connection.execute(query.where(columns.id.in_(batch)))
    }


def all_of(connection: Connection) -> Iterator[tuple[str, Recipe]]:
    """The recipe of every published file, by its sha256; raises IntegrityError for a damaged one."""
    query = (
        select(tables.recipes.c.sha256, tables.recipes.c.body, tables.blobs.c.size)
        .join(tables.blobs, tables.blobs.c.sha256 == tables.recipes.c.sha256)
        .order_by(tables.recipes.c.sha256)
    )
    for row in connection.execute(query):
        yield row.sha256, loads(row.body, row.size)


def forget_segments(connection: Connection, keys: Iterable[str]) -> None:
    """Let segments be read no longer."""
    columns = tables.segments.c
    for key in keys:
        identifier, _, base = key.partition("-")
        connection.execute(
            delete(tables.segments).where(columns.id == identifier, columns.base == base)
        )


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]
