"""What a part of the study answers: tables and drawings, as values.

A table's columns say what their cells are and, where the paper has the same figure, which column of
ours it stands beside; all ways of showing a table, and the differences from the paper, follow from
that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from modelshelf.study.survey import Survey

Cell = str | int | float | bool | None
Kind = Literal["text", "count", "share", "number", "mark"]
"""What cells are: words, whole numbers, percent, other numbers, whether something is there."""
EITHER = "either"
"""A mark of the paper that its own text contradicts: both values are right."""
MOST_ROWS = 100


class Column(NamedTuple):
    """One column. `group` is the catalogue that it is about, empty where it names the row.

    `beside` is the id of the column measured here, where this one holds the paper's figures.
    """

    id: str
    title: str
    group: str = ""
    kind: Kind = "text"
    beside: str | None = None

    @property
    def names_rows(self) -> bool:
        """Whether its cells tell which row it is."""
        return self.kind == "text" and not self.group and self.beside is None


def slug(text: str) -> str:
    """A text as part of an id: letters, digits, dots and hyphens."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-") or "x"


def pair(label: str, name: str, title: str, kind: Kind, *, paper: bool) -> list[Column]:
    """A column about a catalogue, and the paper's beside it where there is such a figure."""
    ours = Column(f"{label}:{name}", title, label, kind)
    return [ours, Column(f"{ours.id}:paper", "paper", label, kind, ours.id)] if paper else [ours]


class Table(NamedTuple):
    """Rows of as many cells as there are columns; None where nothing is known or meant.

    Of a long table people are shown the first `most` rows, programs all.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    most: int = MOST_ROWS

    @property
    def shown(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that people are shown."""
        return self.rows[: self.most]

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and how many rows are not shown."""
        left = len(self.rows) - self.most
        return (
            (f"… and {left:,} more rows; CSV and JSON have all.", *self.notes)
            if left > 0
            else self.notes
        )

    @staticmethod
    def of(
        id: str,  # noqa: A002  the field's name
        title: str,
        columns: Iterable[Column],
        rows: Iterable[Mapping[str, Cell]],
        notes: Iterable[str] = (),
    ) -> Table:
        """From rows that say their cells by the column's id; what they leave out is None."""
        made = tuple(columns)
        cells = tuple(tuple(row.get(column.id) for column in made) for row in rows)
        return Table(id, title, made, cells, tuple(notes))


class Drawing(NamedTuple):
    """A figure: `svg` stands alone; title and description say in words what is drawn."""

    id: str
    title: str
    description: str
    svg: str


class Made(NamedTuple):
    """What a part computes."""

    tables: tuple[Table, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()


class Difference(NamedTuple):
    """One figure that is not the paper's; `why` is None where that is open."""

    part: str
    table: str
    catalogue: str
    row: str
    column: str
    ours: Cell
    paper: Cell
    why: str | None


class Answer(NamedTuple):
    """A part with its differences from the paper."""

    name: str
    title: str
    section: str
    tables: tuple[Table, ...]
    drawings: tuple[Drawing, ...]
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]


class Part(NamedTuple):
    """What each module of this room offers as `PART`.

    `section` is where in the paper it belongs. `compute` only asks the survey; it raises UsageError
    where it needs other catalogues than were given. `fits` says whether the catalogues are such.
    """

    name: str
    title: str
    section: str
    compute: Callable[[Survey], Made]
    fits: Callable[[Survey], bool] = lambda _survey: True
