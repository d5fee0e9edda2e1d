"""Catalogues in Parquet, in a folder or in a bucket: written here, read by `Study` and importers.

    write([read("tfhub:snapshots/2024")], "s3://models/2024")
    Study.of([stored("s3://models/2024")])

A part holds some tens of megabytes of rows, so that a catalogue of any size is written with little
memory. Beside the tables of `schema`, `records` and `hubs` hold the catalogue itself, from which
`parquet:PLACE` reads it whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import msgspec

from modelshelf.package.catalogue import STORED, Catalogue, Described
from modelshelf.store import tables
from modelshelf.store.database import connect, quoted
from modelshelf.study.rows import rows
from modelshelf.study.schema import HubRow, RecordRow, Row
from modelshelf.study.spool import Spool

PART_BYTES = 64 << 20
"""So many bytes of JSON become one part."""
DOCUMENT_BYTES = 8 << 20
"""A release that is longer is stored without the text of its page."""


def stored(place: str, environment: Mapping[str, str] = os.environ) -> tables.Tables:
    """The catalogues at `place`, a folder or `s3://BUCKET/PREFIX`, for `Study.of`.

    Raises NotFound where there are none, FormatError where there is something else.
    """
    return tables.read(place, STORED, environment)


def write(
    catalogues: Iterable[Catalogue], place: str, environment: Mapping[str, str] = os.environ
) -> int:
    """Write catalogues to `place`, which is new or an empty folder; how many rows they are.

    Raises Conflict where there is something already, and what writing to a bucket raises.
    """
    with Writer(place, environment) as writer:
        for catalogue in catalogues:
            writer.extend(rows(catalogue))
            writer.extend(documents(catalogue))
        writer.finish()
    return writer.count


def documents(catalogue: Catalogue, label: str | None = None) -> Iterator[Row]:
    """The catalogue itself, as rows."""
    label = label or catalogue.specification
    hub = msgspec.structs.replace(catalogue, releases=(), pages=(), specification=label)
    yield HubRow(label, msgspec.json.encode(hub).decode())
    for number, release in enumerate(catalogue.releases):
        yield document(label, number, release)


def document(label: str, number: int, release: Described) -> RecordRow:
    """One release of a catalogue, the `number`th, as a row."""
    text = msgspec.json.encode(release)
    if len(text) > DOCUMENT_BYTES:
        text = msgspec.json.encode(msgspec.structs.replace(release, text=""))
    package = release.record.package
    return RecordRow(label, package.name, package.version, number, text.decode())


class Writer:
    """Rows on their way to `place`; they are there only if `finish` is called."""

    def __init__(self, place: str, environment: Mapping[str, str] = os.environ) -> None:
        self.count = 0
        self._writing = tables.Writing(place, STORED, environment)
        self._stack = ExitStack()
        temporary = tempfile.TemporaryDirectory(prefix="modelshelf-parquet-")
        self._folder = Path(self._stack.enter_context(temporary))
        self._connection = self._stack.enter_context(connect(self._folder))
        self._spool = self._stack.enter_context(Spool(self._folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def extend(self, rows_: Iterable[Row]) -> None:
        """Take rows of any tables, in the order in which they shall lie there."""
        for row in rows_:
            self.count += 1
            if self._spool.add(row) >= PART_BYTES:
                self._part(type(row))

    def finish(self) -> None:
        """Write what is left, then the list of all."""
        for table in self._spool.tables():
            self._part(table)
        self._writing.finish(self._folder)

    def _part(self, table: type[Row]) -> None:
        file = self._folder / "part.parquet"
        with self._spool.taken(table) as select:
            self._connection.execute(
                f"COPY ({select}) TO {quoted(str(file))} (FORMAT parquet, COMPRESSION zstd)"
            )
        self._writing.add(table.table, file)
