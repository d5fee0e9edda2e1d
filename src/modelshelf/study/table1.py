"""Table 1: the repositories and how large they are."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.formats import find
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.survey import Measured, Survey

_SIZES = """
SELECT catalogue, sum(models), count(DISTINCT publisher),
    count(DISTINCT publisher) FILTER (publisher_kind = 'person'),
    count(*) FILTER (by_persons), count(*) FILTER (gone IS NOT NULL)
FROM packages GROUP BY 1
"""
_COUNTED = ("models", "publishers", "people", "persons", "gone")
_FORMATS = """
SELECT DISTINCT catalogue, format FROM (SELECT catalogue, unnest(formats) AS format FROM packages)
ORDER BY ALL
"""
_PAGES = """
SELECT catalogue, kind, outcome,
    regexp_replace(coalesce(reason, ''), '\\S+/\\S+', '…', 'g'), count(*)
FROM pages GROUP BY ALL ORDER BY catalogue, outcome, 5 DESC, 2, 4
"""
_COLUMNS = (
    Column("repository", "repository"),
    Column("hub", "hub", "", "mark"),
    Column("frameworks", "frameworks", "", "mark"),
    Column("packages", "packages", "", "count"),
    Column("packages:paper", "paper", "", "count", "packages"),
    Column("versions", "versions", "", "count"),
    Column("versions:paper", "paper", "", "count", "versions"),
    Column("models", "models", "", "count"),
    Column("models:paper", "paper", "", "count", "models"),
    Column("publishers", "publishers", "", "count"),
    Column("people", "of them persons", "", "count"),
    Column("persons", "packages of persons", "", "count"),
    Column("persons:paper", "paper", "", "count", "persons"),
    Column("gone", "files gone", "", "count"),
)
_OF_PAPER = (
    Column("kind", "of"),
    Column("name", "repository"),
    Column("languages", "languages or frameworks", "", "mark"),
    Column("launched", "launched", "", "mark"),
    Column("packages", "packages", "", "count"),
)

_TAKEN = (
    "Software repositories on 19 April 2020, from Libraries.io; repositories of models on 25 March 2020, "
    "packages of all formats."
)


def compute(survey: Survey) -> Made:
    """What was measured, what became of each hub's pages, all 23 repositories of the paper."""
    return Made((_measured(survey), _pages(survey), _printed()))


def _measured(survey: Survey) -> Table:
    sizes = {row[0]: row[1:] for row in survey.ask(_SIZES)}
    formats = survey.ask(_FORMATS)
    rows = []
    for each in survey.measured:
        names = [str(name) for label, name in formats if label == each.label]
        row = dict(_row(each)) | {"frameworks": ", ".join(sorted(set(map(framework, names))))}
        rows.append(row | dict(zip(_COUNTED, _counts(sizes.get(each.label)), strict=True)))
    return Table.of("measured", "Repositories measured", _COLUMNS, rows)


def _row(each: Measured) -> Iterator[tuple[str, Cell]]:
    yield "repository", each.label
    yield "hub", each.name
    yield "packages", each.packages
    yield "versions", each.versions
    for name in ("packages", "versions", "models", "persons"):
        yield f"{name}:paper", paper.said(name, each.hub)


def _counts(found: tuple[object, ...] | None) -> tuple[int, ...]:
    return tuple(int(str(each)) for each in found or (0,) * len(_COUNTED))


def framework(format: str) -> str:  # noqa: A002  the record's word
    """The framework that made files of a format; what none reads is called by its first word."""
    known = find(format)
    if known is not None:
        return known.framework
    return format.partition("-")[0]


def _pages(survey: Survey) -> Table:
    columns = (
        *(Column(name, name) for name in ("catalogue", "outcome", "kind")),
        Column("pages", "pages", "", "count"),
        Column("reason", "reason", "", "mark"),
    )
    rows: list[dict[str, Cell]] = [
        {
            "catalogue": label,
            "kind": kind or "(none)",
            "outcome": outcome,
            "reason": reason or None,
            "pages": n,
        }
        for (label, kind, outcome, reason), n in survey.counted(_PAGES).items()
    ]
    return Table.of("pages", "What became of the pages", columns, rows)


def _printed() -> Table:
    rows = [{**each, "kind": _KINDS[each["kind"]]} for each in paper.rows("table1")]
    return Table.of("printed", "Repositories of the paper", _OF_PAPER, rows, (_TAKEN,))


_KINDS = {"software": "software", "models": "ML models"}

PART = Part("table1", "Table 1: repositories and their size", "2", compute)
