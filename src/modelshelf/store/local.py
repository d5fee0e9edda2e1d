"""Where segments lie raw on this machine: in which whole file, at which byte. Only a hint.

`root/segments.sqlite` is filled as files come. Whoever reads a place checks what he finds there;
a map that is lost, damaged or cannot be written only costs bytes, and is made anew from the recipes
that are kept.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from modelshelf.errors import ShelfError
from modelshelf.store import recipes
from modelshelf.store.digest import is_sha256
from modelshelf.store.disk import FILES, DiskStore
from modelshelf.store.recipe import Recipe, loads

NAME = "segments.sqlite"
busy_seconds = 10.0
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE file (number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE segment (
        id BLOB NOT NULL, file INTEGER NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (id, file)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX segment_file ON segment (file)",
    f"PRAGMA user_version = {_VERSION}",
)
_FIND = """
SELECT lower(hex(segment.id)), file.sha256, segment.start, segment.size
FROM segment JOIN file ON file.number = segment.file WHERE segment.id IN (?{})
"""
_BATCH = 500
_AWAY = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR,
}  # fmt: skip
"""What SQLite says of a map that is no worse for it: there is no use in making it anew."""
Result = TypeVar("Result")
_Row = tuple[str, str, int, int]
"""Segment, file (sha256), first byte, size."""


class Place(NamedTuple):
    """`size` bytes of a file from `start` on."""

    path: Path
    start: int
    size: int


class SegmentMap:
    """The map of a store, and of the shared stores below it, which are only read."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store
        self._path = store.root / NAME

    def add(self, sha256: str, recipe: Recipe) -> None:
        """Note where the segments of a file lie that has come; forget files that have gone."""

        def work(connection: sqlite3.Connection) -> None:
            _add(connection, sha256, recipe)
            known = [row[0] for row in connection.execute("SELECT sha256 FROM file")]
            _forget(connection, [each for each in known if not self._is_here(each)])

        self._try(work, None)

    def find(self, ids: Iterable[str]) -> dict[str, list[Place]]:
        """Where each of these segments lies, if anywhere; those in the store itself come first."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, list[Place]] = {}
        gone = set()
        nothing: list[_Row] = []
        rows = self._try(lambda each: _find(each, wanted), nothing, kind="DEFERRED")
        for segment, sha256, start, size in rows:
            if self._is_here(sha256):
                place = Place(_file(self._store.root, sha256), start, size)
                found.setdefault(segment, []).append(place)
            else:
                gone.add(sha256)
        if gone:
            self._try(lambda connection: _forget(connection, gone), None)
        for root in self._store.shared:
            for segment, sha256, start, size in _shared(root, wanted):
                found.setdefault(segment, []).append(Place(_file(root, sha256), start, size))
        return found

    def _is_here(self, sha256: str) -> bool:
        return is_sha256(sha256) and _file(self._store.root, sha256).is_file()

    def _try(
        self,
        work: Callable[[sqlite3.Connection], Result],
        otherwise: Result,
        kind: str = "IMMEDIATE",
    ) -> Result:
        """What `work` gives in one transaction; a damaged map is made anew, once."""
        for _ in range(2):
            try:
                with (
                    contextlib.closing(self._opened()) as connection,
                    _transaction(connection, kind),
                ):
                    return work(connection)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 1) & 0xFF in _AWAY or not self._discard():
                    return otherwise
        return otherwise

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=busy_seconds, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            if not _is_made(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                with _transaction(connection):
                    if not _is_made(connection):  # nor did another process make it meanwhile
                        self._make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        for statement in _SCHEMA:
            connection.execute(statement)
        for sha256 in recipes.digests(self._store.root):
            body = recipes.kept(self._store.root, sha256)
            if body and self._is_here(sha256):
                with contextlib.suppress(ShelfError):
                    _add(connection, sha256, loads(body, self._store.size(sha256)))

    def _discard(self) -> bool:
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                self._path.with_name(NAME + suffix).unlink(missing_ok=True)
        except OSError:
            return False
        return True


def _file(root: Path, sha256: str) -> Path:
    return root / FILES / sha256[:2] / sha256


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_made(connection: sqlite3.Connection) -> bool:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found == _VERSION


def _add(connection: sqlite3.Connection, sha256: str, recipe: Recipe) -> None:
    connection.execute("INSERT OR IGNORE INTO file (sha256) VALUES (?)", (sha256,))
    query = "SELECT number FROM file WHERE sha256 = ?"
    number = connection.execute(query, (sha256,)).fetchone()[0]
    rows = ((bytes.fromhex(each), number, start, size) for each, start, size in recipe.segments())
    connection.executemany("INSERT OR IGNORE INTO segment VALUES (?, ?, ?, ?)", rows)


def _find(connection: sqlite3.Connection, wanted: list[str]) -> list[_Row]:
    found: list[_Row] = []
    for at in range(0, len(wanted), _BATCH):
        batch = [bytes.fromhex(each) for each in wanted[at : at + _BATCH]]
        found += connection.execute(_FIND.format(", ?" * (len(batch) - 1)), batch).fetchall()
    return found


def _forget(connection: sqlite3.Connection, gone: Iterable[str]) -> None:
    for sha256 in gone:
        query = "DELETE FROM segment WHERE file = (SELECT number FROM file WHERE sha256 = ?)"
        connection.execute(query, (sha256,))
        connection.execute("DELETE FROM file WHERE sha256 = ?", (sha256,))


def _shared(root: Path, wanted: list[str]) -> list[_Row]:
    """What a map tells that is only read: who fills it can be at it, then it may be wrong."""
    path = root / NAME
    try:
        address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            found = _find(connection, wanted)
    except (sqlite3.Error, OSError):
        return []
    return [row for row in found if is_sha256(row[1]) and _file(root, row[1]).is_file()]
