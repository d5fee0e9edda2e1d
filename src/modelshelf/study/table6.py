"""Table 6: what package managers do, in which formats packages come, how they are called."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.formats import formats
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.survey import Measured, Survey

OWN = "Modelshelf"
FUNCTIONS = ("install", "upgrade", "remove")
_OWN_HUBS = ("registry",)
"""Catalogues whose packages are installed by Modelshelf itself."""
_FORMATS = """
SELECT catalogue, format, count(*)
FROM (SELECT catalogue, unnest(formats) AS format FROM packages)
GROUP BY ALL ORDER BY 3 DESC, 2
"""
_MECHANISMS = """
SELECT catalogue, count(*) FILTER (signatures > 0), count(*) FILTER (entrypoints > 0)
FROM packages GROUP BY 1
"""
_COLUMNS = (
    Column("repository", "repository"),
    *(Column(name, name, "", "mark") for name in FUNCTIONS),
    Column("formats", "formats (packages)", "", "mark"),
    Column("mechanism", "called by (packages that say it)", "", "mark"),
)
_NOTE = (
    "Which functions a hub's own client has is the paper's finding of 2020; formats and mechanisms of "
    f"the catalogues measured are counted. {OWN} is asked what commands and formats it has."
)


def compute(survey: Survey) -> Made:
    """The paper's five repositories, then what was measured, then Modelshelf itself."""
    rows: list[dict[str, Cell]] = [
        {**each, "repository": f"{each['name']} (paper)"} for each in paper.rows("table6")
    ]
    rows += [dict(_row(survey, each)) for each in survey.measured]
    rows.append(
        {
            "repository": OWN,
            **_own(survey),
            "formats": ", ".join(formats()),
            "mechanism": "signature, entrypoint",
        }
    )
    return Made((Table.of("functions", "Functions, formats, mechanism", _COLUMNS, rows, (_NOTE,)),))


def _row(survey: Survey, each: Measured) -> Iterator[tuple[str, Cell]]:
    yield "repository", each.label
    told = next((row for row in paper.rows("table6") if row.get("hub") == each.hub), {})
    functions = _own(survey) if each.hub in _OWN_HUBS else told
    yield from ((name, functions.get(name)) for name in FUNCTIONS)
    yield "formats", ", ".join(_counted(survey, each.label)) or None
    yield "mechanism", ", ".join(_mechanisms(survey, each.label)) or None


def _own(survey: Survey) -> dict[str, Cell]:
    return {name: name in survey.offers for name in FUNCTIONS}


def _counted(survey: Survey, label: str) -> Iterator[str]:
    for (of, name), count in survey.counted(_FORMATS).items():
        if of == label:
            yield f"{name} ({count:,})"


def _mechanisms(survey: Survey, label: str) -> Iterator[str]:
    for of, *counts in survey.ask(_MECHANISMS):
        if of == label:
            for name, count in zip(("signature", "entrypoint"), counts, strict=True):
                if count:
                    yield f"{name} ({count:,})"


PART = Part("table6", "Table 6: functions, formats and how packages are called", "6.2.1", compute)
