"""Table 2: the 33 information elements and which repositories show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelshelf.package.elements import ELEMENTS, Element
from modelshelf.study import paper
from modelshelf.study.answer import EITHER, Cell, Column, Made, Part, Table, pair
from modelshelf.study.survey import Survey

_KNOWN = """
SELECT catalogue, element, count(*) FILTER (known) FROM elements WHERE latest GROUP BY ALL
"""
_SOFTWARE = {"npm": "npm", "pypi": "PyPI", "cran": "CRAN"}

_THERE = (
    "An element is there where at least one package has it: its page says it, or the hub shows it "
    f"beside every page. {EITHER}: the paper's text contradicts its table."
)


def compute(survey: Survey) -> Made:
    """A row for each element: whether any package has it, and how many percent do."""
    known = survey.counted(_KNOWN)
    printed = {row["element"]: row for row in paper.rows("table2")}
    rows = [dict(_row(survey, known, each, printed[each.id])) for each in ELEMENTS]
    table = Table.of("elements", "Information elements", _columns(survey), rows, (_THERE,))
    return Made((table, _sums(survey, known)))


def _columns(survey: Survey) -> list[Column]:
    columns = [Column("dimension", "dimension"), Column("element", "element")]
    columns += [Column(key, name, "paper", "mark") for key, name in _SOFTWARE.items()]
    for each in survey.measured:
        there = pair(each.label, "there", "there", "mark", paper=each.known)
        columns += [there[0], Column(f"{each.label}:share", "packages", each.label, "share")]
        columns += there[1:]
    return columns


def _row(
    survey: Survey, known: dict[tuple[str, ...], int], element: Element, printed: dict[str, Any]
) -> Iterator[tuple[str, Cell]]:
    yield "dimension", element.dimension
    yield "element", element.name
    yield from ((key, printed[key]) for key in _SOFTWARE)
    for each in survey.measured:
        count = known.get((each.label, element.id), 0)
        yield f"{each.label}:there", count > 0
        yield f"{each.label}:share", share(count, each.packages)
        disputed = printed.get("disputed") == each.hub
        yield f"{each.label}:there:paper", EITHER if disputed else printed.get(each.hub)


def share(count: float, of: float) -> float:
    """Percent with one digit; of nothing it is 0."""
    return round(100 * count / of, 1) if of else 0.0


def _sums(survey: Survey, known: dict[tuple[str, ...], int]) -> Table:
    """How many elements there are, and how many all catalogues have in common."""
    sets = [
        {e.id for e in ELEMENTS if known.get((each.label, e.id), 0)} for each in survey.measured
    ]
    told = paper.figures("text")["elements"]
    columns = (
        Column("what", "elements"),
        Column("ours", "measured", "", "count"),
        Column("paper", "paper", "", "count"),
    )
    rows = [
        {"what": f"in {each.label}", "ours": len(found), "paper": _printed(each.hub)}
        for each, found in zip(survey.measured, sets, strict=True)
    ]
    if len(sets) > 1:
        both = {each.hub for each in survey.measured} == set(paper.figures("hubs"))
        rows += [
            {
                "what": "in any of them",
                "ours": len(set.union(*sets)),
                "paper": told["models"] if both else None,
            },
            {
                "what": "in all of them",
                "ours": len(set.intersection(*sets)),
                "paper": told["common"] if both else None,
            },
        ]
    note = (
        f"The paper's text says {told['printed']} in at least one repository of models; its table "
        f"of 33 rows gives {told['models']}."
    )
    return Table.of("sums", "How many elements", columns, rows, (note,))


def _printed(hub: str) -> int | None:
    rows = paper.rows("table2")
    return sum(bool(row[hub]) for row in rows) if hub in rows[0] else None


PART = Part("table2", "Table 2: information elements", "4.1", compute)
