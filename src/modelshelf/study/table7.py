"""Table 7: usage contexts by framework, from the artifacts that packages really offer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from modelshelf.package.vocabularies import vocabulary
from modelshelf.study import paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.survey import Survey
from modelshelf.study.table1 import framework

_COUNTS = """
SELECT catalogue, context, format, count(DISTINCT package) FROM artifacts WHERE latest
GROUP BY ALL ORDER BY 4 DESC, 3
"""
_FRAMEWORKS = ("tensorflow", "pytorch")
"""Those of the paper, which are always shown."""

Offered = Mapping[tuple[str, str, str], Mapping[str, int]]
"""Catalogue, context and framework → format → packages."""


def compute(survey: Survey) -> Made:
    """A row for each context and framework; then how many packages serve how many contexts."""
    return Made((_contexts(survey), _several(survey)))


def _contexts(survey: Survey) -> Table:
    columns = [
        Column("context", "context"),
        Column("framework", "framework"),
        Column("printed", "formats", "paper", "mark"),
        Column("call", "called", "paper", "mark"),
    ]
    for each in survey.measured:
        columns += [
            Column(f"{each.label}:formats", "formats (packages)", each.label, "mark"),
        ]
    offered = _offered(survey)
    printed = {row["context"]: row for row in paper.rows("table7")}
    others = sorted({framework for _, _, framework in offered} - set(_FRAMEWORKS))
    rows = [
        dict(_row(survey, context, name, printed.get(context, {}), offered))
        for context in vocabulary("contexts")
        for name in (*_FRAMEWORKS, *others)
        if name in _FRAMEWORKS or any((label, context, name) in offered for label in survey.labels)
    ]
    return Table.of("contexts", "Formats for each context and framework", columns, rows)


def _offered(survey: Survey) -> Offered:
    found: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for (label, context, name), count in survey.counted(_COUNTS).items():
        found[label, context, framework(name)][name] = count
    return found


def _row(
    survey: Survey, context: str, name: str, printed: Mapping[str, Any], offered: Offered
) -> Iterator[tuple[str, Cell]]:
    yield "context", context
    yield "framework", name
    yield "printed", ", ".join(printed.get(name, ())) or None
    yield "call", printed.get(f"{name}_call")
    for label in survey.labels:
        found = offered.get((label, context, name), {})
        told = (f"{each} ({count:,})" for each, count in found.items())
        yield f"{label}:formats", ", ".join(told) or None


_SEVERAL = """
SELECT catalogue, len(contexts) AS contexts, count(*) FROM packages GROUP BY ALL ORDER BY ALL
"""


def _several(survey: Survey) -> Table:
    counts = survey.counted(_SEVERAL)
    columns = [Column("contexts", "contexts of a package")]
    columns += [Column(f"{label}:packages", "packages", label, "count") for label in survey.labels]
    numbers = sorted({int(number) for _, number in counts})
    rows: list[dict[str, Cell]] = [
        {
            "contexts": str(number),
            **{f"{label}:packages": counts.get((label, str(number)), 0) for label in survey.labels},
        }
        for number in numbers
    ]
    return Table.of("several", "Packages by how many contexts they serve", columns, rows)


PART = Part("table7", "Table 7: usage contexts", "6.2.3", compute)
