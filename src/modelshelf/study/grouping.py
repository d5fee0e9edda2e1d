"""The families of catalogues that are in memory, one by one: every model in exactly one."""

from __future__ import annotations

from modelshelf.errors import UsageError
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.families import Family
from modelshelf.study.survey import Survey
from modelshelf.study.table4 import SMALLEST

_SHOWN = 60
_COLUMNS = (
    Column("catalogue", "catalogue"),
    Column("models", "models", "", "count"),
    Column("family", "family"),
    Column("differ", "members differ in", "", "mark"),
)


def document(survey: Survey) -> list[dict[str, object]]:
    """Every family with its members; of several catalogues each says which it is of."""
    several = len(survey.families) > 1
    return [
        ({"catalogue": label} if several else {}) | _document(family)
        for label, found in _all(survey).items()
        for family in found
    ]


def _document(family: Family) -> dict[str, object]:
    return {
        "family": family.id,
        "task": family.task,
        "algorithm": family.algorithm,
        "dataset": family.dataset,
        "language": family.language,
        "members": [
            {
                "package": each.package,
                "variant": each.variant,
                "handle": each.handle,
                "features": dict(each.features),
                "why": each.why,
            }
            for each in family.members
        ],
    }


def _all(survey: Survey) -> dict[str, tuple[Family, ...]]:
    if not survey.families:
        raise UsageError(
            "families are listed of a catalogue's pages",
            expected="a catalogue that is read whole",
            hint="table4 counts the families of stored ones",
        )
    return survey.families


def compute(survey: Survey) -> Made:
    """Families of two models or more, the largest first; how many models are alone."""
    found = _all(survey)
    sizes = {(each.catalogue, each.family): each for each in survey.groups}
    rows: list[dict[str, Cell]] = [
        {
            "catalogue": label,
            "models": len(family.members),
            "family": family.id,
            "differ": ", ".join(sizes[label, family.id].varying) or None,
        }
        for label, families in found.items()
        for family in families
        if len(family.members) >= SMALLEST
    ]
    notes = [
        f"{label}: {sum(len(each.members) < SMALLEST for each in families):,} models are alone"
        for label, families in found.items()
    ]
    table = Table.of("families", "Families of two models or more", _COLUMNS, rows, notes)
    return Made((table._replace(most=_SHOWN),))


PART = Part("families", "Families", "5.2.2", compute, lambda survey: bool(survey.families))
