"""Catalogues that were written to Parquet, in a folder or in a bucket, read back whole.

    read("parquet:s3://models/2024")
    read("parquet:snapshots#tfhub:snapshots/2024")     one of several that lie there

A catalogue that does not fit into memory can be studied where it lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from modelshelf.errors import FormatError, ShelfError, UsageError
from modelshelf.importers import Importer, Progress
from modelshelf.package.catalogue import STORED, Catalogue, Described, Page
from modelshelf.store import tables
from modelshelf.store.database import connect, parquet, quoted, telling

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = Iterator[tuple[object, ...]]
Value = TypeVar("Value")
_PAGE = {name: name for name in ("path", "outcome", "kind", "handle", "reason")} | {
    "into": "merged_into"
}
_MANY = 1000
"""So many rows are held at once."""


class Parts(NamedTuple):
    """The tables at one place, ready to be asked."""

    place: str
    parts: Mapping[str, tuple[str, ...]]
    failure: Callable[[], ShelfError | None]
    connection: DuckDBPyConnection

    def rows(self, table: str, columns: str, label: str | None = None) -> Rows:
        """Some columns of a table, in the order written: of all catalogues, or of one."""
        parts = self.parts.get(table)
        if not parts:
            return
        one = "" if label is None else f" WHERE catalogue = {quoted(label)}"
        with telling(self.failure):
            answer = self.connection.execute(f"SELECT {columns} FROM {parquet(parts)}{one}")  # noqa: S608
            while many := answer.fetchmany(_MANY):
                yield from many


def read_parquet(place: str, progress: Progress) -> Catalogue:
    """The only catalogue at `place`, or the one that is named behind a `#`.

    Raises NotFound where there is none, UsageError where there are several, FormatError where
    they are damaged, and what reading from a bucket raises.
    """
    place, _, wanted = place.partition("#")
    found = tables.read(place, STORED)
    with tempfile.TemporaryDirectory(prefix="modelshelf-parquet-") as name:
        folder = Path(name)
        with connect(folder) as connection:
            attached = tables.attach([found], connection, folder)
            parts = Parts(place, attached.parts[0], attached.failure, connection)
            label = _chosen(parts, wanted)
            return _catalogue(parts, label, progress)


def _chosen(parts: Parts, wanted: str) -> str:
    labels = [str(label) for (label,) in parts.rows("hubs", "catalogue")]
    if wanted in labels:
        return wanted
    if wanted or len(labels) != 1:
        raise UsageError(
            "Which catalogue?" if labels else "There is no catalogue here",
            where=parts.place,
            expected=", ".join(f"parquet:{parts.place}#{label}" for label in labels) or None,
            got=wanted or None,
        )
    return labels[0]


def _catalogue(parts: Parts, label: str, progress: Progress) -> Catalogue:
    (hub,) = (_decoded(each, Catalogue, parts) for (each,) in parts.rows("hubs", "document", label))
    (total,) = next(parts.rows("records", "count(*)", label), (0,))
    releases = []
    for number, document in parts.rows("records", "number, document", label):
        releases.append((number, _decoded(document, Described, parts)))
        progress(len(releases), int(str(total)))
    pages = tuple(
        _page(row, parts) for row in parts.rows("pages", ", ".join(_PAGE.values()), label)
    )
    releases.sort(key=lambda each: int(str(each[0])))
    return msgspec.structs.replace(hub, releases=tuple(each for _, each in releases), pages=pages)


def _page(row: tuple[object, ...], parts: Parts) -> Page:
    told = {name: each for name, each in zip(_PAGE, row, strict=True) if each is not None}
    return _valid(lambda: msgspec.convert(told, Page), parts)


def _decoded(document: object, kind: type[Value], parts: Parts) -> Value:
    return _valid(lambda: msgspec.json.decode(str(document), type=kind), parts)


def _valid(make: Callable[[], Value], parts: Parts) -> Value:
    try:
        return make()
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatError(
            "A stored catalogue cannot be read", where=parts.place, got=str(error)[:200]
        ) from None


IMPORTER = Importer(
    "parquet", "PLACE", "catalogues written by `shelf study parquet`, a folder or s3://BUCKET/PREFIX",
    read_parquet,
)  # fmt: skip
