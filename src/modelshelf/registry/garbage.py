"""Garbage: stored segments that no recipe and no session names, and what killed processes left.

Nothing is lost that someone publishes at the same moment, by one rule on either side:

* Who needs a segment names it in the database before its blob is put, as a session does with what it
  is going to send; or puts the blob, names it, then looks whether it is still there, and puts it
  again if not: `arriving.accept` for differences that are sent, `encoding` for files that came whole,
  `parents` for differences that are found. A release is committed after that only, and its recipe
  names what its session named, which stays named until the session is forgotten.
* Who deletes does it inside a writing transaction in which nobody names the blob; writing
  transactions come one after another (`database`: SQLite has one writer at a time).

So a name that comes before the deletion keeps the blob; one that comes after it finds the blob gone.
That blobs are left alone for as long as a session lives, and longer, is no part of this: it spares
putting things twice, and keeps differences that were sent until their parents are found.

In the same way rows of segments are forgotten in a transaction that looks at every recipe which has
come, or found parents, since the others were read. Recipes are never taken away, nor do their
segments change. Who holds an old recipe may ask in vain for a difference that it names: the segment
by itself is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import msgspec
from sqlalchemy import Connection, select

from modelshelf.registry import describing, recipes, tables
from modelshelf.registry.bases import Bases, Told, told
from modelshelf.registry.service import Kept
from modelshelf.store.blobs import DiskBlobs, Held
from modelshelf.store.recipe import ID_BYTES, Recipe
from modelshelf.store.whole import asking

MARGIN_SECONDS = 7200
"""Blobs stay for so much longer than a session lives: one put again may look an hour older."""
LITTER_SECONDS = 3600
_BATCH = 100


class Garbage(msgspec.Struct, frozen=True):
    """What nobody needs: rows of segments and of differences, blobs and their bytes, litter."""

    segments: int
    differences: int
    blobs: int
    freed_bytes: int
    litter: int


def collect(
    kept: Kept, *, dry_run: bool = False, older_than_seconds: float | None = None
) -> Garbage:
    """Forget what nobody needs any more, or tell what would be; safe while others publish."""
    if older_than_seconds is None:
        older_than_seconds = kept.settings.session_seconds + MARGIN_SECONDS
    survey = _Survey(kept)
    with kept.database.reading() as connection:
        survey.look(connection)
    unnamed = survey.unnamed()
    blobs = _old(kept, unnamed, time.time() - older_than_seconds)
    litter = 0
    if not dry_run:
        unnamed = _forget(kept, survey, unnamed)
        blobs = list(_deleted(kept, blobs))
        litter = _swept(kept)
    return Garbage(
        segments=sum("-" not in key for key in unnamed),
        differences=sum("-" in key for key in unnamed),
        blobs=len(blobs),
        freed_bytes=sum(each.size for each in blobs),
        litter=litter,
    )


class _Survey:
    """Rows that no recipe seen so far names, and what it takes to ask once more later.

    Keys are bytes here, half as long: of a segment, or of it and of its base.
    """

    def __init__(self, kept: Kept) -> None:
        self._bases = Bases(kept)
        self._unnamed: set[bytes] = set()
        self._seen: set[str] = set()
        self._holders: set[str] = set()

    def look(self, connection: Connection) -> None:
        """Read every row and every recipe."""
        rows = connection.execute(select(tables.segments.c.id, tables.segments.c.base))
        self._unnamed = {bytes.fromhex(row.id + row.base) for row in rows}
        elsewhere: list[Told] = []
        for sha256, recipe in recipes.all_of(connection):
            self._seen.add(sha256)
            elsewhere += self._name(connection, recipe)
        for each in elsewhere:
            self._discard(each, self._bases.find(connection, each))
        self._unnamed -= _packed(_in_sessions(connection, self.unnamed()))
        told = {key[:ID_BYTES] for key in self._unnamed if len(key) > ID_BYTES}
        for sha256, recipe in recipes.all_of(connection) if told else ():
            if not told.isdisjoint(_ids(recipe)):
                self._holders.add(sha256)

    def look_again(self, connection: Connection, keys: set[str]) -> None:
        """Read what may have come to name one of the keys meanwhile; no blob is read."""
        self._unnamed = _packed(keys - _in_sessions(connection, keys))
        new = {*connection.execute(select(tables.recipes.c.sha256)).scalars()} - self._seen
        for sha256 in new | self._holders:
            if (recipe := recipes.find(connection, sha256)) is not None:
                for each in self._name(connection, recipe):
                    self._discard(each, None)

    def unnamed(self) -> set[str]:
        """The keys that nothing was seen to name."""
        return {
            f"{each[:ID_BYTES].hex()}-{base.hex()}" if (base := each[ID_BYTES:]) else each.hex()
            for each in self._unnamed
        }

    def _name(self, connection: Connection, recipe: Recipe) -> list[Told]:
        """Take out what a recipe names → the differences whose bases only reading can tell."""
        self._unnamed.difference_update(_ids(recipe))
        elsewhere = []
        for each in told(recipe):
            if (base := self._bases.known(connection, each)) is not None:
                self._unnamed.discard(bytes.fromhex(each.id + base))
            else:
                elsewhere.append(each)
        return elsewhere

    def _discard(self, each: Told, base: str | None) -> None:
        """Take out a difference; of one whose base cannot be known now, all may be meant."""
        identifier = bytes.fromhex(each.id)
        if base is not None:
            self._unnamed.discard(identifier + bytes.fromhex(base))
        else:
            self._unnamed = {
                key for key in self._unnamed if key == identifier or key[:ID_BYTES] != identifier
            }


def _ids(recipe: Recipe) -> Iterator[bytes]:
    return (recipe.ids[at : at + ID_BYTES] for at in range(0, len(recipe.ids), ID_BYTES))


def _packed(keys: Iterable[str]) -> set[bytes]:
    return {bytes.fromhex(key.replace("-", "")) for key in keys}


def _old(kept: Kept, unnamed: set[str], limit: float) -> list[Held]:
    """The blobs that nothing names, and those of the `unnamed` rows; young ones are left out.

    Rows whose blobs are young are taken out of `unnamed`.
    """
    found: list[Held] = []
    held = iter(kept.blobs.held())
    while batch := list(islice(held, _BATCH)):
        unnamed -= {each.key for each in batch if each.written >= limit}
        old = [each for each in batch if each.written < limit]
        with kept.database.reading() as connection:
            named = _named(connection, [each.key for each in old]) - unnamed
        found += [each for each in old if each.key not in named]
    return found


def _forget(kept: Kept, survey: _Survey, unnamed: set[str]) -> set[str]:
    """Forget rows that nothing names; return those that went."""
    if not unnamed:
        return unnamed
    with kept.database.writing() as connection:
        survey.look_again(connection, unnamed)
        gone = survey.unnamed()
        recipes.forget_segments(connection, gone)
    return gone


def _deleted(kept: Kept, blobs: Iterable[Held]) -> Iterator[Held]:
    """Delete blobs that nothing names, some at a time, and yield those that went."""
    left = iter(blobs)
    with ThreadPoolExecutor(asking) as pool:
        while batch := list(islice(left, _BATCH)):
            with kept.database.writing() as connection:
                named = _named(connection, [each.key for each in batch])
                gone = [each for each in batch if each.key not in named]
                list(pool.map(kept.blobs.delete, [each.key for each in gone]))
            yield from gone


def _swept(kept: Kept) -> int:
    """Take away what killed processes left half written → how many files and folders."""
    gone = describing.sweep(kept.store)
    if isinstance(kept.blobs, DiskBlobs):
        gone += kept.blobs.sweep(older_than_seconds=LITTER_SECONDS)
    return len(gone)


def _named(connection: Connection, keys: list[str]) -> set[str]:
    """Those of the keys that may be read, or that a session names."""
    return {*recipes.readable(connection, keys)} | _in_sessions(connection, {*keys})


def _in_sessions(connection: Connection, keys: set[str]) -> set[str]:
    """Those of the keys that sessions name: to be sent, or sent."""
    columns = tables.session_segments.c
    wanted = sorted({key.partition("-")[0] for key in keys})
    found: set[str] = set()
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        query = select(columns.id, columns.base).where(columns.id.in_(batch))
        for row in connection.execute(query):
            found |= {row.id, f"{row.id}-{row.base}"}
    return found & keys
