"""The paper's tables and figures, recomputed from any catalogue: one module each.

    with Survey([read("tfhub:snapshots/2024")]) as survey:
        table = answer("table3", survey).tables[0]

To add one: add one module here with a constant `PART` (a `Part`: name, title, section of the paper,
`compute`), or offer one from another distribution under the entry-point group `modelshelf.study`.
A part counts in SQL (`Survey.ask`) and judges in Python; it gives tables and drawings as values, from
which `render` and `report` make text, Markdown, CSV, JSON, SVG and HTML. The paper's own figures
are data in `paper/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelshelf import plugins
from modelshelf.errors import UsageError
from modelshelf.package.vocabularies import nearest
from modelshelf.study.answer import Answer, Column, Difference, Drawing, Part, Table

if TYPE_CHECKING:
    from modelshelf.study.survey import Survey

__all__ = [
    "Answer",
    "Column",
    "Difference",
    "Drawing",
    "Part",
    "Table",
    "answer",
    "answers",
    "parts",
]

_ORDER = (
    "table1", "table2", "elements", "table3", "figure2", "table4", "figure3", "families", "table5",
    "table6", "table7", "table8", "implications", "over-time",
)  # fmt: skip
"""As the paper has them; others follow by name."""


def parts() -> dict[str, Part]:
    """Every part of the study, by name, in the paper's order."""
    found = [each for each in plugins.offered(__name__, "PART") if isinstance(each, Part)]
    by_name = {each.name: each for each in found}
    ordered = [*(name for name in _ORDER if name in by_name), *sorted(set(by_name) - {*_ORDER})]
    return {name: by_name[name] for name in ordered}


def answer(name: str, survey: Survey) -> Answer:
    """What the part called `name` says of the catalogues.

    Raises UsageError where there is no such part, or it needs other catalogues.
    """
    from modelshelf.study.differences import differences

    known = parts()
    if name not in known:
        raise UsageError(
            f"the study has no part `{name[:60]}`",
            expected=", ".join(known),
            hint=nearest(name, list(known)),
        )
    part = known[name]
    made = part.compute(survey)
    found = differences(name, made.tables, survey.measured)
    return Answer(name, part.title, part.section, *made, found)


def answers(survey: Survey) -> tuple[Answer, ...]:
    """Every part that fits the catalogues."""
    return tuple(answer(name, survey) for name, part in parts().items() if part.fits(survey))
