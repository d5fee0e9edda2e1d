"""The rest of a check: sizes in the database, what sessions sent, and what nobody needs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select, update

from modelshelf.errors import IntegrityError
from modelshelf.registry import encoding, garbage, jobs, recipes, tables
from modelshelf.registry.contracts import Key, by_key
from modelshelf.registry.fsck.state import Check
from modelshelf.store.recipe import Recipe
from modelshelf.store.whole import lying


def write_sizes(check: Check, digests: Iterable[str]) -> None:
    """Write the sizes of segments that were found to be others, and have differences made anew."""
    if not check.repair:
        return
    for sha256 in digests if check.sizes else ():
        with check.kept.database.writing() as connection:
            _write_sizes(check, connection, sha256)
    with check.kept.database.writing() as connection:
        recipes.forget_segments(connection, check.sizes)
        rows = ((each, "", *sizes) for each, sizes in check.sizes.items())
        recipes.add_segments(connection, rows)
        for key in _releases(connection, check.untold):
            jobs.enqueue_once(connection, encoding.JOB, by_key(key))


def sessions(check: Check) -> None:
    """Look for the segments that sessions sent, of what is not published yet."""
    of, state = tables.session_segments.c, tables.sessions.c
    query = (
        select(of.session, of.id)
        .join(tables.sessions, state.id == of.session)
        .where(of.stored.is_not(None), state.state.in_(("open", "held")))
    )
    with check.kept.database.reading() as connection:
        rows = connection.execute(query).all()
    there = lying((row.id for row in rows), check.kept.blobs)
    lost = [(row.session, row.id) for row in rows if there[row.id] is None]
    with check.kept.database.writing() as connection:
        for session, identifier in lost:
            check.tell("session", session, identifier, mended=check.repair)
            if check.repair:
                row = update(tables.session_segments).filter_by(session=session, id=identifier)
                connection.execute(row.values(stored=None, base=None, delta=None))


def unneeded(check: Check) -> None:
    """Tell how much nobody needs, unless a recipe is wrong: what that needs cannot be known."""
    try:
        found = garbage.collect(check.kept, dry_run=True, older_than_seconds=0)
    except IntegrityError:
        return
    if found.blobs:
        check.tell("garbage", "", f"{found.blobs} of {found.freed_bytes} bytes")


def _write_sizes(check: Check, connection: Connection, sha256: str) -> None:
    try:
        recipe = recipes.find(connection, sha256)
    except IntegrityError:
        return
    if recipe is not None and not check.sizes.keys().isdisjoint(recipe.distinct()):
        recipes.change(connection, sha256, _resized(recipe, check.sizes))


def _resized(recipe: Recipe, sizes: dict[str, tuple[int, int]]) -> Recipe:
    stored = tuple(
        sizes[each][1] if each in sizes else before
        for (each, _, _), before in zip(recipe.segments(), recipe.stored, strict=True)
    )
    return msgspec.structs.replace(recipe, stored=stored)


def _releases(connection: Connection, digests: Iterable[str]) -> set[Key]:
    """The releases that hold the files."""
    of = tables.release_files.c
    found: set[Key] = set()
    for sha256 in digests:
        query = select(of.publisher, of.name, of.version).where(of.sha256 == sha256)
        found |= {(row.publisher, row.name, row.version) for row in connection.execute(query)}
    return found
