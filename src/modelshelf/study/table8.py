"""Table 8: formats, what they are good for, and how many packages offer them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelshelf.formats import find
from modelshelf.package.vocabularies import vocabulary
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.survey import Survey
from modelshelf.study.table1 import framework
from modelshelf.study.table2 import share

_OFFERED = """
SELECT catalogue, format, count(*) FROM (SELECT catalogue, unnest(formats) AS format FROM packages)
GROUP BY ALL
"""


def compute(survey: Survey) -> Made:
    """Every format of the paper, of our readers and of the catalogues; then the paper's words."""
    counts = survey.counted(_OFFERED)
    printed = {row["format"]: row for row in paper.rows("table8")}
    offered = {name for _, name in counts}
    names = [*dict.fromkeys([*printed, *vocabulary("formats"), *sorted(offered)])]
    columns = [
        Column("framework", "framework"),
        Column("format", "format"),
        Column("paper", "in the paper", "", "mark"),
        Column("advantages", "advantages", "", "mark"),
        Column("disadvantages", "disadvantages", "", "mark"),
    ]
    for label in survey.labels:
        columns += [
            Column(f"{label}:packages", "packages", label, "count"),
            Column(f"{label}:share", "share", label, "share"),
        ]
    rows = [dict(_row(survey, name, name in printed, counts)) for name in names]
    return Made((Table.of("formats", "Formats", columns, rows), _printed(printed)))


def _row(
    survey: Survey, name: str, printed: bool, counts: dict[tuple[str, ...], int]
) -> Iterator[tuple[str, Cell]]:
    known = find(name)
    yield "framework", framework(name)
    yield "format", name
    yield "paper", printed
    yield "advantages", known.advantages if known else None
    yield "disadvantages", known.disadvantages if known else None
    for each in survey.measured:
        count = counts.get((each.label, name), 0)
        yield f"{each.label}:packages", count
        yield f"{each.label}:share", share(count, each.packages)


def _printed(printed: dict[str, dict[str, Any]]) -> Table:
    columns = (
        Column("framework", "framework"),
        Column("name", "format"),
        Column("advantages", "advantages", "", "mark"),
        Column("disadvantages", "disadvantages", "", "mark"),
    )
    return Table.of("printed", "What the paper says of them", columns, printed.values())


PART = Part("table8", "Table 8: formats and what they are good for", "6.2.3", compute)
