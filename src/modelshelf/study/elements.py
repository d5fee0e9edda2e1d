"""How completely each information element is described, and where on the pages it is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from modelshelf.package.catalogue import Source
from modelshelf.package.elements import ELEMENTS, Element
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table, pair, slug
from modelshelf.study.survey import Measured, Survey
from modelshelf.study.table2 import share

SOURCES: tuple[str, ...] = get_args(Source)
_COUNTS = """
SELECT catalogue, element, source, count(*) FROM elements WHERE latest AND known GROUP BY ALL
"""
_UNSURE = """
SELECT catalogue, element, count(*) FROM elements WHERE latest AND known AND unsure GROUP BY ALL
"""
_MEAN = """
WITH described AS (
    SELECT catalogue, package, count(*) FILTER (known) AS n,
        count(*) FILTER (source IN ('label', 'hub')) AS formal
    FROM elements WHERE latest GROUP BY ALL
)
SELECT catalogue, avg(n), median(n), min(n), max(n), 100 * sum(formal) / greatest(sum(n), 1)
FROM described GROUP BY 1
"""
_QUALITY = "SELECT catalogue, count(DISTINCT package) FROM metrics WHERE latest GROUP BY 1"
_SIGNATURES = """
SELECT catalogue, count(*) FILTER (signatures > 0),
    count(*) FILTER (entrypoints_listed),
    count(*) FILTER (entrypoints > 0 AND models > 1), count(*) FILTER (by_persons)
FROM packages GROUP BY 1
"""


def compute(survey: Survey) -> Made:
    """A table for each catalogue, how many elements packages have, and the figures of the text."""
    counts, unsure = survey.counted(_COUNTS), survey.counted(_UNSURE)
    tables = [_completeness(each, counts, unsure) for each in survey.measured]
    return Made((*tables, _known(survey), of_text(survey)))


def _completeness(
    measured: Measured, counts: dict[tuple[str, ...], int], unsure: dict[tuple[str, ...], int]
) -> Table:
    columns = [
        Column("dimension", "dimension"),
        Column("element", "element"),
        Column("packages", "packages", "", "count"),
        Column("share", "share", "", "share"),
        *(Column(name, name, "found as", "count") for name in SOURCES),
        Column("unsure", "unsure", "", "count"),
    ]
    rows = [dict(_row(measured, each, counts, unsure)) for each in ELEMENTS]
    title = f"Completeness of each element in {measured.label}"
    return Table.of(f"completeness-{slug(measured.label)}", title, columns, rows)


def _row(
    measured: Measured,
    element: Element,
    counts: dict[tuple[str, ...], int],
    unsure: dict[tuple[str, ...], int],
) -> Iterator[tuple[str, Cell]]:
    found = {name: counts.get((measured.label, element.id, name), 0) for name in SOURCES}
    known = sum(found.values())
    yield "dimension", element.dimension
    yield "element", element.name
    yield "packages", known
    yield "share", share(known, measured.packages)
    yield from found.items()
    yield "unsure", unsure.get((measured.label, element.id), 0)


def _known(survey: Survey) -> Table:
    columns = (
        Column("catalogue", "catalogue"),
        Column("mean", "elements of 33, mean", "", "number"),
        Column("median", "median", "", "number"),
        Column("least", "least", "", "count"),
        Column("most", "most", "", "count"),
        Column("formal", "in labels or of the hub", "", "share"),
    )
    found = {str(row[0]): row[1:] for row in survey.ask(_MEAN)}
    rows = []
    for each in survey.labels:
        mean, middle, least, most, formal = map(_float, found.get(each, (0,) * 5))
        row: dict[str, Cell] = {"catalogue": each, "mean": round(mean, 2), "median": middle}
        row |= {"least": int(least), "most": int(most), "formal": round(formal, 1)}
        rows.append(row)
    return Table.of("known", "How many elements packages describe", columns, rows)


def _float(value: object) -> float:
    return float(str(value)) if value is not None else 0.0


def of_text(survey: Survey) -> Table:
    """What the paper counts in its text (4.2): quality, signatures, entrypoints, publishers."""
    told = {str(row[0]): row[1:] for row in survey.ask(_SIGNATURES)}
    quality = survey.counted(_QUALITY)
    columns = [Column("what", "figure"), Column("section", "section", "", "mark")]
    for each in survey.measured:
        columns += pair(each.label, "value", "measured", "count", paper=each.known)
    rows = []
    for line in paper.rows("text"):
        values = {
            each.label: _value(line["id"], each, told.get(each.label, (0, 0, 0, 0)), quality)
            for each in survey.measured
        }
        if any(value is not None for value in values.values()):
            row: dict[str, Cell] = {"what": line["what"], "section": line["section"]}
            for each in survey.measured:
                row[f"{each.label}:value"] = values[each.label]
                row[f"{each.label}:value:paper"] = line.get(each.hub)
            rows.append(row)
    return Table.of("text", "Figures of the paper's text", columns, rows)


def _value(
    figure: str, measured: Measured, told: tuple[object, ...], quality: dict[tuple[str, ...], int]
) -> Cell:
    signatures, lists, several, persons = (int(str(each)) for each in told)
    values: dict[str, Cell] = {
        "quality": quality.get((measured.label,), 0),
        "entrypoint-lists": lists,
        "signatures-described": signatures,
        "persons": persons,
        "several-entrypoints": several,
        "incomplete-lists": several - lists,
    }
    return values.get(figure)


PART = Part("elements", "Completeness of the information elements", "4.2", compute)
