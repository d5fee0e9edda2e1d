"""The database that a study asks: catalogues as tables of DuckDB, whether in memory or in Parquet.

    with Study.of([read("tfhub:snapshots/2024"), stored("s3://models/2020")]) as study:
        study.query("SELECT task, count(*) FROM packages WHERE catalogue = $of GROUP BY 1", of=...)

The tables are those of `schema`; besides, `information_elements` has the 33 of Table 2 in their
order, and the view `elements` a row for each of them and each release. Tables in Parquet stay
where they are: only the columns that a query names are read. DuckDB may use `memory_mib`, and
writes to a temporary folder what needs more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

from modelshelf.errors import FormatError, ShelfError, UsageError
from modelshelf.package.catalogue import Catalogue
from modelshelf.package.elements import ELEMENTS
from modelshelf.store.database import MEMORY_MIB, connect, parquet, telling
from modelshelf.store.tables import Tables, attach
from modelshelf.study.rows import rows
from modelshelf.study.schema import TABLES, FamilyRow, KeyFamilyRow, ModelRow, Row, columns
from modelshelf.study.spool import Spool

_NAMES = {"catalogue", "package", "version", "variant", "publisher", "path"}
"""Columns by which rows are known: without them, they are none of ours."""
_Parts = Mapping[str, tuple[str, ...]]
_CREATED: tuple[type[Row], ...] = (*TABLES, FamilyRow, KeyFamilyRow)
_ELEMENTS = """
CREATE VIEW elements AS
SELECT catalogue, package, version, latest, element, place IS NOT NULL AS known,
    sources[place] AS source, coalesce(unsure[place], false) AS unsure
FROM (
    SELECT d.*, e.element, nullif(list_position(d.known, e.element), 0) AS place
    FROM descriptions d CROSS JOIN information_elements e
)
"""
_MODELS = """
CREATE OR REPLACE VIEW models AS
SELECT m.* REPLACE (coalesce(f.family, k.family) AS family)
FROM plain_models m
LEFT JOIN families_of_models f USING (catalogue, package, variant)
LEFT JOIN families_of_keys k ON m.task IS NOT DISTINCT FROM k.task
    AND m.algorithm IS NOT DISTINCT FROM k.algorithm AND m.datasets = k.datasets
    AND m.language IS NOT DISTINCT FROM k.language
    AND m.declared_family IS NOT DISTINCT FROM k.declared_family
"""


class Key(NamedTuple):
    """What models of one family may have in common, as written."""

    task: str | None
    algorithm: str | None
    datasets: tuple[str, ...]
    language: str | None
    declared_family: str | None


class Rows(NamedTuple):
    """What a query gives: lists of SQL are lists, JSON is text, NULL is None."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]

    def by_name(self) -> list[dict[str, object]]:
        """Each row as a mapping from its columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Study:
    """Tables of some catalogues, to be closed (use `with`); by one thread.

    `catalogues` are their labels, in the order given.
    """

    def __init__(self, *, memory_mib: int = MEMORY_MIB) -> None:
        self._stack = ExitStack()
        temporary = tempfile.TemporaryDirectory(
            prefix="modelshelf-study-", ignore_cleanup_errors=True
        )
        self._folder = Path(self._stack.enter_context(temporary))
        self._connection = self._stack.enter_context(connect(self._folder, memory_mib))
        self._failure: Callable[[], ShelfError | None] | None = None
        self.catalogues: tuple[str, ...] = ()

    @classmethod
    def of(cls, catalogues: Iterable[Catalogue | Tables], *, memory_mib: int = MEMORY_MIB) -> Study:
        """A study of `catalogues`, each either in memory or stored.

        Raises UsageError where two have one label, FormatError where stored tables are damaged,
        and what reading them from a bucket raises.
        """
        study = cls(memory_mib=memory_mib)
        try:
            study._take(list(catalogues))
        except BaseException:
            study.close()
            raise
        return study

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything, temporary files too."""
        self._stack.close()

    def query(self, sql: str, **parameters: object) -> Rows:
        """The answer to one statement, in which `$NAME` stands for a parameter.

        Raises Refused where it needs more memory than there may be, and what reading raises.
        """
        with telling(self._failure, free=True):
            answer = self._connection.execute(sql, parameters or None)
            names = tuple(str(each[0]) for each in answer.description or ())
            return Rows(names, answer.fetchall() if names else [])

    def keys(self) -> list[Key]:
        """What models have for labels, each combination once: what normalising need look at."""
        found = self.query(
            f"SELECT DISTINCT {', '.join(Key._fields)} FROM plain_models ORDER BY ALL"  # noqa: S608
        )
        return [
            Key(_text(task), _text(algorithm), _texts(datasets), _text(language), _text(family))
            for task, algorithm, datasets, language, family in found.rows
        ]

    def assign(self, families: Iterable[FamilyRow | KeyFamilyRow]) -> None:
        """Say which models are of which family; a model's own word goes before its key's.

        What was said before is forgotten. It is then in the column `family` of `models`.
        """
        with telling(self._failure), Spool(self._folder) as spool:
            self._connection.execute("DELETE FROM families_of_models; DELETE FROM families_of_keys")
            spool.extend(families)
            for table in spool.tables():
                named = ", ".join(name for name in columns(table) if name != "family")
                with spool.taken(table) as select:
                    self._connection.execute(
                        f"INSERT INTO {table.table} SELECT DISTINCT ON ({named}) * FROM ({select})"  # noqa: S608
                    )

    def _take(self, catalogues: Sequence[Catalogue | Tables]) -> None:
        stored = [each for each in catalogues if isinstance(each, Tables)]
        attached = attach(stored, self._connection, self._folder)
        self._failure = attached.failure if stored else None
        with telling(self._failure), Spool(self._folder) as spool:
            of_stored = iter(attached.parts)
            for each in catalogues:
                if isinstance(each, Tables):
                    self.catalogues += self._labels(next(of_stored))
                else:
                    spool.extend(rows(each))
                    self.catalogues += (each.specification,)
            for table in _CREATED:
                self._create(table)
            for table in spool.tables():
                with spool.taken(table) as select:
                    self._connection.execute(f"INSERT INTO {_own(table)} {select}")
            self._name(attached.parts)
        self._distinct()

    def _labels(self, parts: _Parts) -> tuple[str, ...]:
        if not parts.get("catalogues"):
            return ()
        labels = self.query(f"SELECT catalogue FROM {parquet(parts['catalogues'])}")  # noqa: S608
        return tuple(str(label) for (label,) in labels.rows)

    def _create(self, table: type[Row]) -> None:
        named = ", ".join(f'"{name}" {kind}' for name, kind in columns(table).items())
        self._connection.execute(f"CREATE TABLE {_own(table)} ({named})")

    def _name(self, stored: Sequence[_Parts]) -> None:
        """Each table under its name: what is here, and what lies in Parquet."""
        for table in TABLES:
            name = "plain_models" if table is ModelRow else table.table
            selects = [f"SELECT * FROM {_own(table)}"]  # noqa: S608
            selects += [self._stored(table, parts) for parts in stored if parts.get(table.table)]
            union = " UNION ALL ".join(selects)
            self._connection.execute(f"CREATE VIEW {name} AS {union}")
        self._name_elements()
        self._connection.execute(_ELEMENTS)
        self._connection.execute(_MODELS)

    def _stored(self, table: type[Row], parts: _Parts) -> str:
        """What SELECTs the rows that lie in Parquet; columns of later versions are NULL in them."""
        source = parquet(parts[table.table])
        found = self.query(f"DESCRIBE SELECT * FROM {source}").rows  # noqa: S608
        there = {str(name) for name, *_ in found}
        wanted = columns(table)
        if lost := (wanted.keys() & _NAMES) - there:
            raise FormatError(
                f"Stored tables lack a column of `{table.table}`", expected=", ".join(sorted(lost))
            )
        named = ", ".join(
            f'{_column(name, there)}::{kind} AS "{name}"' for name, kind in wanted.items()
        )
        return f"SELECT {named} FROM {source}"  # noqa: S608

    def _name_elements(self) -> None:
        self._connection.execute(
            "CREATE TABLE information_elements"
            " (position BIGINT, element VARCHAR, name VARCHAR, dimension VARCHAR)"
        )
        self._connection.executemany(
            "INSERT INTO information_elements VALUES (?, ?, ?, ?)",
            [(number, e.id, e.name, e.dimension) for number, e in enumerate(ELEMENTS, 1)],
        )

    def _distinct(self) -> None:
        twice = [each for each in self.catalogues if self.catalogues.count(each) > 1]
        if twice:
            raise UsageError("A catalogue was given twice", got=twice[0])


def _column(name: str, there: set[str]) -> str:
    return f'"{name}"' if name in there else "NULL"


def _own(table: type[Row]) -> str:
    """The table of what was in memory; families are nowhere else."""
    return table.table if table in (FamilyRow, KeyFamilyRow) else f"own_{table.table}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
