"""Where a table differs from the paper, and why: explained, or open.

A figure of another snapshot than the paper's differs because time went by. For the paper's own
snapshots `paper/differences.json` holds the reasons that are known; whatever has none is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelshelf.study import paper
from modelshelf.study.answer import EITHER, Cell, Column, Difference, Table

if TYPE_CHECKING:
    from modelshelf.study.survey import Measured

_ROUNDED = {"share": 0.051, "number": 0.051}
"""How far figures may be apart that the paper rounds to one digit."""


def differences(
    part: str, tables: Sequence[Table], measured: Sequence[Measured]
) -> tuple[Difference, ...]:
    """Every figure of `tables` that is not the one of the paper that stands beside it."""
    by_label = {each.label: each for each in measured}
    return tuple(found for table in tables for found in _of(part, table, by_label))


def _of(part: str, table: Table, measured: Mapping[str, Measured]) -> Iterator[Difference]:
    places = {column.id: index for index, column in enumerate(table.columns)}
    pairs = [(column, places[column.beside]) for column in table.columns if column.beside]
    for cells in table.rows:
        row = row_name(table, cells)
        for column, place in pairs:
            ours, theirs = cells[place], cells[places[column.id]]
            label = column.group or str(cells[0])
            if label in measured and not agree(column, ours, theirs):
                title = table.columns[place].title
                why = _why(part, table.id, measured[label], row, title)
                yield Difference(part, table.id, label, row, title, ours, theirs, why)


def row_name(table: Table, cells: Sequence[Cell]) -> str:
    """What a row is called: its words, joined."""
    named = zip(table.columns, cells, strict=True)
    return " / ".join(str(cell) for column, cell in named if column.names_rows and cell)


def agree(column: Column, ours: Cell, theirs: Cell) -> bool:
    """Whether a figure is the paper's, which `column` holds; where it has none nothing differs."""
    if theirs is None or theirs == EITHER:
        return True
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours - theirs) <= _ROUNDED.get(column.kind, 0)
    return ours == theirs


def _why(part: str, table: str, measured: Measured, row: str, column: str) -> str | None:
    if not measured.same:
        return measured.other
    told = {"part": part, "table": table, "hub": measured.hub, "row": row, "column": column}
    return next((each["why"] for each in paper.rows("differences") if _holds(each, told)), None)


def _holds(known: Mapping[str, Any], told: Mapping[str, str]) -> bool:
    return all(known[key] == value for key, value in told.items() if key in known)
