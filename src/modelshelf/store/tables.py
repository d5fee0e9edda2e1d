"""Tables: rows in Parquet, in a folder or in a bucket, with a list of the parts that belong to it.

    PLACE/tables.json                      which tables, of which kind, in which parts; written last
    PLACE/TABLE/0000.parquet, 0001...      the parts of a table

What is in a part is the business of who writes it. A place without its list is no such place: a
copy that was cut off is never half read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from modelshelf.errors import Conflict, FormatError, NotFound, ShelfError
from modelshelf.store.bucket import Bucket

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from modelshelf.store.bucket_files import BucketFiles
    from modelshelf.store.objects import Objects

LIST = "tables.json"
LIST_BYTES = 16 << 20
"""More are not read of a list."""
_PART = re.compile(r"[a-z][a-z_]{0,60}/[0-9]{4,9}\.parquet")


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tables.json` holds: its parts are named from the place on."""

    kind: str
    tables: dict[str, tuple[str, ...]]


class _Place(Protocol):
    """Where parts lie."""

    def read(self, name: str, limit: int) -> bytes:
        """So many bytes at most; raises NotFound."""

    def put(self, name: str, file: Path) -> None:
        """Keep a file, which may be moved, under that name."""


class Tables(NamedTuple):
    """Tables that are there; `parts` are by the table's name."""

    place: str
    kind: str
    parts: Mapping[str, tuple[str, ...]]
    at: _Place


class Attached(NamedTuple):
    """For each place that was attached: the addresses of the parts of its tables, for DuckDB.

    `failure` tells what last hindered their reading, as people understand it.
    """

    parts: tuple[Mapping[str, tuple[str, ...]], ...]
    failure: Callable[[], ShelfError | None]


def attach(stored: Iterable[Tables], connection: DuckDBPyConnection, folder: Path) -> Attached:
    """Let `connection` read tables, once in its life; what is fetched whole is kept in `folder`."""
    files: BucketFiles | None = None
    parts = []
    for tables in stored:
        address = f"{Path(tables.place).absolute().as_posix()}/"
        if isinstance(tables.at, _InBucket):
            files = files or _registered(connection, folder)
            address = files.mount(tables.at.objects())
        parts.append(
            {name: tuple(f"{address}{p}" for p in many) for name, many in tables.parts.items()}
        )
    return Attached(tuple(parts), lambda: files and files.failure)


def _registered(connection: DuckDBPyConnection, folder: Path) -> BucketFiles:
    from modelshelf.store.bucket_files import BucketFiles

    files = BucketFiles(folder)
    connection.register_filesystem(files)
    return files


def read(place: str, kind: str, environment: Mapping[str, str] = os.environ) -> Tables:
    """The tables at `place`, a folder or `s3://BUCKET/PREFIX`, which must be of that kind.

    Raises NotFound where there are none, FormatError where they are others, NetworkError,
    NotAllowed and UsageError as buckets do.
    """
    at = _at(place, environment)
    try:
        found = msgspec.json.decode(at.read(LIST, LIST_BYTES), type=_List)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(
            "The list of tables cannot be read", where=place, got=str(error)
        ) from None
    if found.kind != kind:
        raise FormatError(
            "The tables here are of another kind", where=place, expected=kind, got=found.kind[:80]
        )
    for part in (part for parts in found.tables.values() for part in parts):
        if not _PART.fullmatch(part):
            raise FormatError("This cannot name a part of a table", where=place, got=part[:80])
    return Tables(place, kind, found.tables, at)


class Writing:
    """New tables at a place; they are there once `finish` was called.

    Raises Conflict where there are tables already, or a folder has other things in it.
    """

    def __init__(self, place: str, kind: str, environment: Mapping[str, str] = os.environ) -> None:
        self._at = _at(place, environment)
        self._kind = kind
        self._parts: dict[str, list[str]] = {}
        with contextlib.suppress(NotFound):
            self._at.read(LIST, 1)
            raise Conflict("There are tables here already", where=place, hint="choose a new place")
        if isinstance(self._at, _Folder):
            self._at.make()

    def add(self, table: str, file: Path) -> None:
        """Make a Parquet file the next part of a table; it is moved there, or uploaded and deleted."""
        parts = self._parts.setdefault(table, [])
        name = f"{table}/{len(parts):04}.parquet"
        self._at.put(name, file)
        parts.append(name)

    def finish(self, folder: Path) -> None:
        """Write the list; `folder` is for temporary files."""
        file = folder / LIST
        tables = {name: tuple(parts) for name, parts in self._parts.items()}
        file.write_bytes(msgspec.json.encode(_List(self._kind, tables)))
        self._at.put(LIST, file)


def _at(place: str, environment: Mapping[str, str]) -> _Place:
    if place.startswith("s3://"):
        return _InBucket(Bucket.parse(place, environment))
    return _Folder(Path(place))


class _Folder(NamedTuple):
    path: Path

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(limit)
        except (FileNotFoundError, NotADirectoryError):
            raise _nothing(str(self.path), name) from None

    def put(self, name: str, file: Path) -> None:
        into = self.path / name
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, into)

    def make(self) -> None:
        """Raises Conflict where something else is in the way."""
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise Conflict(
                "Tables need a folder of their own", where=str(self.path), hint="choose a new one"
            )
        self.path.mkdir(parents=True, exist_ok=True)


class _InBucket(NamedTuple):
    bucket: Bucket

    def read(self, name: str, limit: int) -> bytes:
        try:
            return self.objects().first(name, limit)
        except NotFound as error:
            raise _nothing(str(self.bucket), name) if error.where == name else error from None

    def put(self, name: str, file: Path) -> None:
        self.objects().put(name, file)
        file.unlink()

    def objects(self) -> Objects:
        from modelshelf.store.objects import Objects

        return Objects(self.bucket)


def _nothing(place: str, name: str) -> NotFound:
    return NotFound("There are no tables here", where=place, expected=f"a file {name}")
