"""What the paper implies (4.3, 5.3, 6.3), with the figures that bear on it now, by catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from modelshelf.formats import formats
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table, pair
from modelshelf.study.generations import generations
from modelshelf.study.measures import MEASURES, Measure
from modelshelf.study.survey import Survey

GENERATIONS = "generations"
_GENERATIONS = Measure("algorithms of which a later generation is another package", "")


def compute(survey: Survey) -> Made:
    """A table for each implication."""
    found = measured(
        survey, {name for row in paper.rows("implications") for name in row["measures"]}
    )
    return Made(tuple(_table(survey, row, found) for row in paper.rows("implications")))


def measured(survey: Survey, names: set[str]) -> dict[str, dict[str, Cell]]:
    """Each of the measures: catalogue → figure; 0 where a catalogue has none of it."""
    assert survey.groups is not None  # from here on `models` knows its families
    risky = [name for name, each in formats().items() if each.carries_code]
    found: dict[str, dict[str, Cell]] = {}
    for name in sorted(names & MEASURES.keys()):
        measure = MEASURES[name]
        rows = survey.ask(measure.sql, **({"risky": risky} if measure.risky else {}))
        values = {str(label): _figure(value) for label, value in rows}
        found[name] = {label: values.get(label, 0) for label in survey.labels}
    if GENERATIONS in names:
        found[GENERATIONS] = _lines(survey)
    return found


def _figure(value: object) -> Cell:
    """Whole numbers as such: sums come as decimals of SQL."""
    number = float(str(value or 0))
    return int(number) if number.is_integer() else number


def _lines(survey: Survey) -> dict[str, Cell]:
    """How many algorithms have several generations, where families are known one by one."""
    counts = Counter({label: len(generations(found)) for label, found in survey.families.items()})
    return {label: counts.get(label) for label in survey.labels}


def _table(survey: Survey, row: dict[str, Any], found: Mapping[str, Mapping[str, Cell]]) -> Table:
    columns = [Column("figure", "figure")]
    for each in survey.measured:
        told = any(_said(name, each.hub) is not None for name in row["measures"])
        columns += pair(each.label, "value", "measured", "number", paper=told)
    rows = []
    for name in row["measures"]:
        line: dict[str, Cell] = {"figure": MEASURES.get(name, _GENERATIONS).title}
        for each in survey.measured:
            line[f"{each.label}:value"] = found[name][each.label]
            line[f"{each.label}:value:paper"] = _said(name, each.hub)
        rows.append(line)
    notes = (f"The paper: {row['claim']}", f"Here: {row['here']}")
    title = f"{row['title']} (paper, {row['section']})"
    return Table.of(row["id"], title, columns, rows, notes)


def _said(name: str, hub: str) -> int | None:
    measure = MEASURES.get(name, _GENERATIONS)
    return paper.said(measure.said, hub) if measure.said else None


PART = Part(
    "implications", "Implications of the paper, with today's figures", "4.3, 5.3, 6.3", compute
)
