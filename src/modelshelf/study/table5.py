"""Table 5: models that several catalogues have: families with the same key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from modelshelf.study import classes, paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table, pair
from modelshelf.study.classes import Class
from modelshelf.study.similar import Shared
from modelshelf.study.survey import Survey
from modelshelf.study.table3 import KEYS, named

_ASIDE = re.compile(r"\([^()]{0,100}\)")


def compute(survey: Survey) -> Made:
    """A row for each family that two hubs have, with its models in each catalogue."""
    columns = [*KEYS, Column("algorithm", "algorithm"), Column("dataset", "dataset")]
    for each in survey.measured:
        columns += pair(each.label, "models", "models", "count", paper=each.known)
    sizes = {(each.catalogue, each.family): each.models for each in survey.groups}
    hubs = {each.label: each.hub for each in survey.measured}
    rows = [
        _row(survey, each, sizes)
        for each in survey.shared
        if len({hubs[label] for label in each.families}) > 1
    ]
    rows += _missing(survey, rows)
    ordered = sorted(rows, key=lambda row: [str(row[column.id]) for column in columns[:5]])
    table = Table.of("similar", "Families that several hubs have", columns, ordered)
    return Made((table,), notes=(str(paper.figures("table5")["note"]),))


def several(survey: Survey) -> bool:
    """Whether catalogues of two hubs are here."""
    return len({each.hub for each in survey.measured}) > 1


def _row(survey: Survey, found: Shared, sizes: Mapping[tuple[str, str], int]) -> dict[str, Cell]:
    where = classes.of(found.task)
    row = named(where) | {"algorithm": found.algorithm, "dataset": found.dataset}
    told = _printed(where, found.algorithm)
    then = {each.hub for each in survey.measured if each.same and each.label in found.families}
    unlisted = 0 if len(then) > 1 else None  # what the paper's own snapshots share it would list
    for each in survey.measured:
        family = found.families.get(each.label)
        row[f"{each.label}:models"] = sizes[each.label, family.id] if family else 0
        row[f"{each.label}:models:paper"] = told.get(each.hub, unlisted)
    return row


def _printed(where: Class, algorithm: str) -> dict[str, int]:
    """The paper's row of the same class and algorithm; of its datasets there is one only."""
    for row in paper.rows("table5"):
        if classes.of_row(row) == where and _folded(row["algorithm"]) == _folded(algorithm):
            return {hub: row[hub] for hub in paper.figures("hubs")}
    return {}


def _missing(survey: Survey, rows: Iterable[dict[str, Cell]]) -> list[dict[str, Cell]]:
    """The paper's rows that were not found, where all its hubs are here."""
    if not {each.hub for each in survey.measured} >= set(paper.figures("hubs")):
        return []
    there = {(str(row["class"]), _folded(str(row["algorithm"]))) for row in rows}
    lacking = []
    for told in paper.rows("table5"):
        if (told["class"], _folded(told["algorithm"])) not in there:
            row = named(classes.of_row(told))
            row |= {"algorithm": told["algorithm"], "dataset": told["dataset"]}
            for each in survey.measured:
                row[f"{each.label}:models"] = 0
                row[f"{each.label}:models:paper"] = told.get(each.hub)
            lacking.append(row)
    return lacking


def _folded(algorithm: str) -> str:
    """Without case, asides in brackets and separators."""
    return "".join(re.findall(r"\w+", _ASIDE.sub("", algorithm).casefold()))


PART = Part("table5", "Table 5: similar models in several hubs", "5.2.2.3", compute, several)
