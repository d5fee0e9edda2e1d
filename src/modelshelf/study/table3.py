"""Table 3: task types and how many packages and models each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from modelshelf.study import classes, paper
from modelshelf.study.answer import Cell, Column, Made, Part, Table, pair
from modelshelf.study.classes import Class
from modelshelf.study.survey import Survey
from modelshelf.study.table2 import share

_PACKAGES = "SELECT catalogue, task, count(*) FROM packages GROUP BY ALL"
_MODELS = "SELECT catalogue, task, count(*) FROM models WHERE latest GROUP BY ALL"
KEYS = (Column("domain", "domain"), Column("input", "input"), Column("class", "task type"))
_OF_MODELS = "The printed table counts packages; the shares in the text of 5.2.1 are of models."


def compute(survey: Survey) -> Made:
    """Packages by class, then models by class with the shares of the paper's text (5.2.1)."""
    return Made((_of_packages(survey), _of_models(survey)))


def _of_packages(survey: Survey) -> Table:
    counts = by_class(survey.counted(_PACKAGES))
    printed = {classes.of_row(row): row for row in paper.rows("table3")}
    columns = list(KEYS)
    for each in survey.measured:
        columns += pair(each.label, "packages", "packages", "count", paper=each.known)
        columns += pair(each.label, "share", "share", "share", paper=each.known)
    rows = []
    for found in classes.in_order(found for _, found in counts):
        row = named(found)
        told = printed.get(found, {})
        for each in survey.measured:
            count = counts[each.label, found]
            row |= {
                f"{each.label}:packages": count,
                f"{each.label}:share": share(count, each.packages),
                f"{each.label}:packages:paper": told.get(each.hub),
                f"{each.label}:share:paper": told.get(f"{each.hub}_percent"),
            }
        rows.append(row)
    return Table.of("packages", "Packages of each task type", columns, rows)


def _of_models(survey: Survey) -> Table:
    """Shares of models: what the text of 5.2.1 gives of PyTorch Hub are these."""
    counts = by_class(survey.counted(_MODELS))
    columns = list(KEYS)
    for each in survey.measured:
        told = each.hub in paper.figures("table3")["models"]
        columns += pair(each.label, "models", "models", "count", paper=told)
        columns += pair(each.label, "share", "share", "share", paper=told)
    rows = []
    for found in classes.in_order(found for _, found in counts):
        row = named(found)
        for each in survey.measured:
            count = counts[each.label, found]
            all_of_it = sum(n for (label, _), n in counts.items() if label == each.label)
            row |= {
                f"{each.label}:models": count,
                f"{each.label}:share": share(count, all_of_it),
                **_printed(each.label, each.hub, found),
            }
        rows.append(row)
    return Table.of("models", "Models of each task type", columns, rows, (_OF_MODELS,))


def _printed(label: str, hub: str, found: Class) -> dict[str, Cell]:
    told = paper.figures("table3")["models"].get(hub, {"rows": ()})
    for row in told["rows"]:
        if classes.of_row(row) == found:
            models = row["models"]
            return {
                f"{label}:models:paper": models,
                f"{label}:share:paper": share(models, told["of"]),
            }
    return {}


def by_class(counts: Mapping[tuple[str, ...], int]) -> Counter[tuple[str, Class]]:
    """Counts by catalogue and task → by catalogue and class."""
    found: Counter[tuple[str, Class]] = Counter()
    for (label, task), count in counts.items():
        found[label, classes.of(task)] += count
    return found


def named(found: Class) -> dict[str, Cell]:
    """The cells of `KEYS`."""
    return {"domain": found.domain, "input": found.input, "class": found.name}


PART = Part("table3", "Table 3: task types", "5.2.1", compute)
