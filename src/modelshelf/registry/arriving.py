"""Segments that a session sends: which it must, what has come, and the files made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import blake3
from sqlalchemy import Connection, Row, delete, insert, select, update

from modelshelf.errors import Conflict, IntegrityError, Invalid, NotFound
from modelshelf.registry import recipes, staging, tables
from modelshelf.registry.service import Kept
from modelshelf.registry.staging import Declared, Session
from modelshelf.store.codec import FLOAT_DELTA
from modelshelf.store.recipe import SEGMENT_BYTES, Recipe, dumps, is_key, loads
from modelshelf.store.whole import decoded, put_together

LONGEST_BUNDLE_BYTES = 8 << 20
LONGEST_BLOB_BYTES = SEGMENT_BYTES + 64
LONGEST_KEY_BYTES = 129
_BATCH = 500


class Wanted(NamedTuple):
    """A segment that the session still has to send: so many bytes of a blob are here.

    `base` is what that blob is told against.
    """

    id: str
    offset: int = 0
    base: str = ""


class Expected(NamedTuple):
    """What is about to arrive: the segment's id and raw size, its base (or none)."""

    id: str
    size: int
    base: str

    @property
    def key(self) -> str:
        """What its blob is called."""
        return f"{self.id}-{self.base}" if self.base else self.id


def expect(kept: Kept, session: Session, file: Declared, body: bytes) -> list[Wanted]:
    """Take in of which segments `file` is made → those to send. Asked again, it says what is left.

    A segment need not be sent where anyone may read it; that others are sending it says nothing.
    """
    recipe = loads(body, file.size)
    if recipe.parents:
        raise Invalid("The recipe of a file to be sent names no parents", where=file.path)
    sizes = _sizes(recipe)
    with kept.database.writing() as connection:
        _keep_recipe(connection, session, file.sha256, body)
        rows = {row.id: row for row in _rows(connection, session)}
        for identifier, size in sizes.items():
            if identifier in rows and rows[identifier].size != size:
                raise _contradiction(identifier)
        new = [
            {"session": session.id, "id": identifier, "size": size}
            for identifier, size in sizes.items()
            if identifier not in rows
        ]
        if new:
            connection.execute(insert(tables.session_segments), new)
        there = recipes.readable(connection, sizes)
    sent = {identifier for identifier, row in rows.items() if row.stored is not None}
    missing = [
        identifier for identifier in sizes if identifier not in there and identifier not in sent
    ]
    begun = _begun(kept, session)
    return [begun.get(identifier, Wanted(identifier)) for identifier in missing]


def expected(connection: Connection, session: Session, key: str) -> Expected:
    """What the session said of the segment `key`; raises NotFound, also for a base not to be read."""
    identifier, _, base = key.partition("-")
    columns = tables.session_segments.c
    query = select(columns.size).where(columns.session == session.id, columns.id == identifier)
    size = connection.execute(query).scalar() if is_key(key) else None
    if size is None:
        raise NotFound("No recipe of the session has this segment", where=key[:140])
    if base and base not in recipes.readable(connection, [base]):
        raise NotFound("There is no such base", where=base, hint="send the segment by itself")
    return Expected(identifier, size, base)


def has_come(connection: Connection, session: Session, identifier: str) -> bool:
    """Whether the session has sent this segment, or need not."""
    columns = tables.session_segments.c
    query = select(columns.stored).where(
        columns.session == session.id, columns.id == identifier, columns.stored.is_not(None)
    )
    return connection.execute(query).first() is not None or bool(
        recipes.readable(connection, [identifier])
    )


def accept(kept: Kept, session: Session, segment: Expected, blob: bytes) -> None:
    """Decode a blob that has arrived, check it and keep it; raises IntegrityError.

    What came against a base is kept by itself as well: who has not the base needs no other file.
    """
    with kept.codecs.one() as codec:
        base = None
        if segment.base:
            base = bytes(decoded(kept.blobs, codec, segment.base, _size_of(kept, segment.base)))
        raw = codec.decode(blob, segment.size, base)
        if blake3.blake3(raw).hexdigest() != segment.id:
            raise IntegrityError("The bytes of a segment are not those of its id", where=segment.id)
        solo = blob
        if base is not None:
            solo = codec.solo(bytes(raw), blob[1], floating=blob[0] == FLOAT_DELTA)
            kept.blobs.put(segment.key, blob)
        kept.blobs.put(segment.id, solo)
    named = {segment.id: solo} if base is None else {segment.id: solo, segment.key: blob}
    sizes = {key: len(content) for key, content in named.items()}
    _note(kept, session, segment, sizes)
    # Only what has a row stays: what was here before may have been swept away until now.
    there = {key: kept.blobs.size(key) for key in named}
    for key, content in named.items():
        if there[key] is None:
            kept.blobs.put(key, content)
    if found := {key: size for key, size in there.items() if size not in (None, sizes[key])}:
        _note(kept, session, segment, sizes | found)


def name(kept: Kept, session: Session, sha256: str, recipe: Recipe) -> None:
    """Take in of which segments a file is made that was sent whole, all of which are here."""
    rows = {
        identifier: {"session": session.id, "id": identifier, "size": size, "stored": stored}
        for (identifier, _, size), stored in zip(recipe.segments(), recipe.stored, strict=True)
    }
    columns = tables.session_segments.c
    with kept.database.writing() as connection:
        _keep_recipe(connection, session, sha256, dumps(recipe))
        for start in range(0, len(rows), _BATCH):
            batch = [*rows][start : start + _BATCH]
            connection.execute(
                delete(tables.session_segments).where(
                    columns.session == session.id, columns.id.in_(batch)
                )
            )
            connection.execute(insert(tables.session_segments), [rows[each] for each in batch])


class Bundle:
    """Segments as they come in one body, each: length of the key, key, length, blob."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0

    def add(self, content: bytes) -> list[tuple[str, bytes]]:
        """Take in what comes next → the blobs that are whole by now, by their keys. Raises Invalid."""
        self._rest += content
        self._seen += len(content)
        if self._seen > LONGEST_BUNDLE_BYTES:
            raise Invalid("The bundle is too large", expected=LONGEST_BUNDLE_BYTES)
        found, at = [], 0
        while (frame := self._frame(at)) is not None:
            key, blob, at = frame
            found.append((key, blob))
        del self._rest[:at]
        return found

    @property
    def rest(self) -> tuple[str, bytes] | None:
        """The key of a blob that has begun, and what of it is here."""
        start = 6 + int.from_bytes(self._rest[:2], "big")
        if len(self._rest) <= start:
            return None
        key = self._rest[2 : start - 4].decode("ascii", "replace")
        return key, bytes(self._rest[start:])

    def finish(self) -> None:
        """Raise Invalid where the last one is not whole."""
        if self._rest:
            raise Invalid("A bundle of segments is cut off", where=f"byte {self._seen}")

    def _frame(self, at: int) -> tuple[str, bytes, int] | None:
        """The key and the blob from byte `at` on, and where they end; None if they are not whole."""
        rest = self._rest
        if len(rest) < at + 2:
            return None
        start = at + 6 + int.from_bytes(rest[at : at + 2], "big")
        if start > at + 6 + LONGEST_KEY_BYTES:
            raise Invalid("This is not a bundle of segments", where=f"byte {self._seen}")
        if len(rest) < start:
            return None
        end = start + int.from_bytes(rest[start - 4 : start], "big")
        if end > start + LONGEST_BLOB_BYTES:
            raise Invalid("A segment cannot be so large", got=end - start)
        if len(rest) < end:
            return None
        return rest[at + 2 : start - 4].decode("ascii", "replace"), bytes(rest[start:end]), end


def assemble(kept: Kept, session: Session) -> None:
    """Make the files of which every segment is here; they then count as sent."""
    with kept.database.reading() as connection:
        waiting = staging.missing(connection, session) if session.state == "open" else []
        ready = [
            (file, recipe)
            for file in waiting
            if (recipe := complete_recipe(connection, session, file)) is not None
        ]
    for file, recipe in ready:
        partial = staging.partial(kept.store, session, file.sha256)
        building = partial.with_name(f"{partial.name}-whole")
        try:
            put_together(recipe, kept.blobs, building, kept.codecs)
            building.replace(partial)
        finally:
            building.unlink(missing_ok=True)


def complete_recipe(connection: Connection, session: Session, file: Declared) -> Recipe | None:
    """The recipe that the session gave of a file of which every segment is here, else None."""
    try:
        return _recipe_of(connection, session, file)
    except Conflict:
        return None


def deltas(connection: Connection, session: Session) -> list[recipes.Segment]:
    """The segments that came against a base: id, base, raw bytes, bytes of the blob."""
    return [
        (row.id, row.base, row.size, row.delta)
        for row in _rows(connection, session)
        if row.base is not None
    ]


def _begun(kept: Kept, session: Session) -> dict[str, Wanted]:
    """What has come of blobs that are not whole: of each segment the longest."""
    found: dict[str, Wanted] = {}
    for path in kept.store.partials():
        owner, _, key = path.name.partition("-")
        if owner != session.id or not is_key(key):
            continue
        identifier, _, base = key.partition("-")
        here = Wanted(identifier, path.stat().st_size, base)
        if here.offset > found.get(identifier, here._replace(offset=0)).offset:
            found[identifier] = here
    return found


def _recipe_of(connection: Connection, session: Session, file: Declared) -> Recipe | None:
    """The recipe that the session gave of a file, with what is stored; None without one.

    Raises Conflict where a segment is not here.
    """
    query = select(tables.session_recipes.c.body).filter_by(session=session.id, sha256=file.sha256)
    body = connection.execute(query).scalar()
    if body is None:
        return None
    recipe = loads(body, file.size)
    ids = [identifier for identifier, _, _ in recipe.segments()]
    stored = _stored(connection, session) | recipes.readable(connection, ids)
    if lost := next((each for each in ids if each not in stored), None):
        raise Conflict("A segment is missing: publish again", where=lost)
    return Recipe(recipe.size, recipe.ids, recipe.sizes, tuple(stored[each] for each in ids))


def _note(kept: Kept, session: Session, segment: Expected, sizes: Mapping[str, int | None]) -> None:
    """Write in how many bytes a segment lies there, by itself and against its base."""
    row: dict[str, int | str | None] = {"stored": sizes[segment.id]}
    if segment.base:
        row |= {"base": segment.base, "delta": sizes[segment.key]}
    columns = tables.session_segments.c
    with kept.database.writing() as connection:
        connection.execute(
            update(tables.session_segments)
            .where(columns.session == session.id, columns.id == segment.id)
            .values(**row)
        )


def _keep_recipe(connection: Connection, session: Session, sha256: str, body: bytes) -> None:
    key = {"session": session.id, "sha256": sha256}
    columns = tables.session_recipes.c
    connection.execute(
        delete(tables.session_recipes).where(
            columns.session == session.id, columns.sha256 == sha256
        )
    )
    connection.execute(insert(tables.session_recipes), key | {"body": body})


def _sizes(recipe: Recipe) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for identifier, _, size in recipe.segments():
        if sizes.setdefault(identifier, size) != size:
            raise _contradiction(identifier)
    return sizes


def _rows(connection: Connection, session: Session) -> list[Row[tuple[object, ...]]]:
    query = select(tables.session_segments).filter_by(session=session.id)
    return [*connection.execute(query)]


def _stored(connection: Connection, session: Session) -> dict[str, int]:
    rows = _rows(connection, session)
    return {row.id: row.stored for row in rows if row.stored is not None}


def _size_of(kept: Kept, identifier: str) -> int:
    query = select(tables.segments.c.size).filter_by(id=identifier, base="")
    with kept.database.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _contradiction(identifier: str) -> Invalid:
    return Invalid("A segment cannot have two sizes", where=identifier)
