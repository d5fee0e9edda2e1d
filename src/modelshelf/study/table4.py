"""Table 4: families and how many members they have, by task type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from modelshelf.study import classes, paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table, pair
from modelshelf.study.classes import Class
from modelshelf.study.survey import Group, Measured, Survey
from modelshelf.study.table3 import KEYS, named

SMALLEST = 2
"""A model alone is no family here, as in the paper."""
_WHOLE = (
    ("families", "families", "count"),
    ("median", "median of members", "number"),
    ("most_often", "most frequent size", "count"),
    ("largest", "members of the largest", "count"),
    ("algorithms", "algorithms of families", "count"),
    ("datasets", "datasets of families", "count"),
)


def compute(survey: Survey) -> Made:
    """Families of two or more models, by class and as a whole."""
    note = str(paper.figures("table4")["note"])
    return Made((_by_class(survey), _whole(survey)), notes=(note,))


def real(survey: Survey) -> list[Group]:
    """The families of every catalogue that have two models or more."""
    return [each for each in survey.groups if each.models >= SMALLEST]


def _by_class(survey: Survey) -> Table:
    sizes: dict[tuple[str, Class], list[int]] = defaultdict(list)
    for group in real(survey):
        sizes[group.catalogue, classes.of(group.task)].append(group.models)
    printed = {classes.of_row(row): row for row in paper.rows("table4")}
    columns = list(KEYS)
    for each in survey.measured:
        columns += pair(each.label, "families", "families", "count", paper=each.known)
        columns += pair(each.label, "median", "median", "number", paper=each.known)
    rows = []
    wanted = {*printed, *(found for _, found in sizes)}
    for found in (each for each in classes.in_order(wanted) if each in wanted):
        row = named(found)
        for each in survey.measured:
            told = printed.get(found, {}).get(each.hub, {"families": 0, "median": None})
            row |= _cells(each, sizes[each.label, found], told)
        rows.append(row)
    return Table.of("classes", "Families of two or more models, by task type", columns, rows)


def _cells(each: Measured, sizes: Sequence[int], told: dict[str, Cell]) -> dict[str, Cell]:
    return {
        f"{each.label}:families": len(sizes),
        f"{each.label}:median": float(median(sizes)) if sizes else None,
        f"{each.label}:families:paper": told["families"],
        f"{each.label}:median:paper": told["median"],
    }


def _whole(survey: Survey) -> Table:
    printed = paper.figures("table4")["whole"]
    columns = [Column("what", "figure")]
    for each in survey.measured:
        columns += pair(each.label, "value", "measured", "number", paper=each.known)
    found = {each.label: dict(_figures(survey, each.label)) for each in survey.measured}
    rows = []
    for key, title, _ in _WHOLE:
        row: dict[str, Cell] = {"what": title}
        for each in survey.measured:
            row[f"{each.label}:value"] = found[each.label][key]
            row[f"{each.label}:value:paper"] = printed.get(each.hub, {}).get(key)
        rows.append(row)
    return Table.of("whole", "All families", columns, rows)


def _figures(survey: Survey, label: str) -> Iterator[tuple[str, Cell]]:
    groups = [each for each in real(survey) if each.catalogue == label]
    sizes = [each.models for each in groups]
    often = Counter(sizes)
    yield "families", len(groups)
    yield "median", float(median(sizes)) if sizes else None
    yield "most_often", max(often, key=lambda size: (often[size], -size)) if often else None
    yield "largest", max(sizes, default=None)
    yield "algorithms", len({each.algorithm for each in groups if each.algorithm})
    yield "datasets", len({each.dataset for each in groups if each.dataset})


PART = Part("table4", "Table 4: families and their members", "5.2.2.2", compute)
