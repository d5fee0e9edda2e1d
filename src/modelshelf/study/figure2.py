"""Figure 2: the feature diagram of ML models, drawn from the variation that is really there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from modelshelf.study.answer import Cell, Column, Drawing, Made, Part, Table, slug
from modelshelf.study.drawing import LETTER, cut, drawing, label, path
from modelshelf.study.markup import Markup, tag
from modelshelf.study.survey import Measured, Survey
from modelshelf.study.table4 import real

SHOWN = 6
"""How many values of a feature are drawn; the table has how many there are."""
_MODELS = "SELECT * FROM models WHERE latest"
_KEYS = (
    ("task type", "task", _MODELS),
    ("algorithm", "algorithm", _MODELS),
    ("dataset", "dataset", "SELECT *, unnest(datasets) AS dataset FROM models WHERE latest"),
    ("language", "language", _MODELS),
    ("package format", "format", "SELECT *, unnest(formats) AS format FROM models WHERE latest"),
)
_WITHIN = "configuration"
_ROW, _LEFT, _BRANCH, _LEAF, _WIDTH = 20.0, 24.0, 190.0, 400.0, 860.0


class Branch(NamedTuple):
    """One feature: what its values are, with how many models or families have each."""

    name: str
    values: int
    leaves: tuple[tuple[str, int], ...]
    unit: str = "models"
    mandatory: bool = True


def compute(survey: Survey) -> Made:
    """A table of all features, and a drawing for each catalogue."""
    found = {each.label: tuple(_branches(survey, each.label)) for each in survey.measured}
    drawings = tuple(_drawn(each, found[each.label]) for each in survey.measured)
    return Made((_table(survey, found), _varying(survey)), drawings)


def _branches(survey: Survey, label_: str) -> Iterator[Branch]:
    for name, column, source in _KEYS:
        found = survey.ask(
            f"SELECT {column}, count(*), count(*) OVER () FROM ({source})"  # noqa: S608
            f" WHERE catalogue = $label AND {column} IS NOT NULL"
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SHOWN}",
            label=label_,
        )
        leaves = tuple((str(value), int(str(count))) for value, count, _ in found)
        values = int(str(found[0][2])) if found else 0
        yield Branch(name, values, leaves, mandatory=name != "language")
    families = _features(survey, label_)
    yield Branch(
        _WITHIN, len(families), tuple(families.most_common(SHOWN)), "families", mandatory=False
    )


def _features(survey: Survey, label_: str) -> Counter[str]:
    """Features in which members of a family differ → in how many families."""
    groups = [group for group in real(survey) if group.catalogue == label_]
    return Counter(name for group in groups for name in sorted(group.varying))


def _table(survey: Survey, found: dict[str, tuple[Branch, ...]]) -> Table:
    columns = [Column("feature", "feature"), Column("tells", "tells apart")]
    for each in survey.labels:
        columns += [
            Column(f"{each}:values", "values", each, "count"),
            Column(f"{each}:most", "most often", each, "mark"),
        ]
    rows = []
    for number, name in enumerate((*(key[0] for key in _KEYS), _WITHIN)):
        row: dict[str, Cell] = {"feature": name, "tells": _tells(name)}
        for each in survey.labels:
            branch = found[each][number]
            row[f"{each}:values"] = branch.values
            row[f"{each}:most"] = ", ".join(f"{n} ({c:,})" for n, c in branch.leaves[:3]) or None
        rows.append(row)
    return Table.of("features", "What models differ in", columns, rows)


def _tells(name: str) -> str:
    if name == _WITHIN:
        return "members of a family"
    return "artifacts of a model" if name == "package format" else "families"


def _varying(survey: Survey) -> Table:
    columns = [Column("feature", "feature")]
    columns += [Column(f"{each}:families", "families", each, "count") for each in survey.labels]
    found = {each: _features(survey, each) for each in survey.labels}
    total = sum(found.values(), Counter[str]())
    rows: list[dict[str, Cell]] = [
        {"feature": name, **{f"{each}:families": found[each][name] for each in survey.labels}}
        for name, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return Table.of("varying", "Features that vary within families", columns, rows)


def _drawn(measured: Measured, branches: Iterable[Branch]) -> Drawing:
    parts: list[Markup] = []
    words, y, centres = [], 34.0, []
    for branch in branches:
        rows = max(1, len(branch.leaves) + (branch.values > len(branch.leaves)))
        centre = y + (rows - 1) * _ROW / 2
        centres.append((centre, branch))
        parts += _leaves(branch, y, centre)
        words.append(f"{branch.name}: {branch.values} values")
        y += rows * _ROW + 14
    root = (centres[0][0] + centres[-1][0]) / 2
    parts += [part for centre, branch in centres for part in _limb(root, centre, branch)]
    parts += [label(_LEFT, root + 4, "ML model"), *_legend(y + 10)]
    title = f"Figure 2: feature diagram of ML models, {measured.label}"
    return drawing(
        f"figure2-{slug(measured.label)}", title, "; ".join(words) + ".", (_WIDTH, y + 30), parts
    )


def _limb(root: float, y: float, branch: Branch) -> Iterator[Markup]:
    start = _LEFT + 60
    yield path(
        f"M{start:.0f} {root:.1f}C{start + 50:.0f} {root:.1f} {_BRANCH - 60:.0f} {y:.1f} {_BRANCH - 12:.0f} {y:.1f}"
    )
    yield _dot(_BRANCH - 8, y, filled=branch.mandatory)
    yield label(_BRANCH, y + 4, f"{branch.name} ({branch.values:,})")


def _leaves(branch: Branch, y: float, centre: float) -> Iterator[Markup]:
    start = _BRANCH + len(f"{branch.name} ({branch.values:,})") * LETTER + 8
    lines = [f"{name} ({count:,} {branch.unit})" for name, count in branch.leaves]
    if branch.values > len(branch.leaves):
        lines.append(f"… and {branch.values - len(branch.leaves):,} more")
    for number, line in enumerate(lines):
        at = y + number * _ROW
        yield path(
            f"M{start:.0f} {centre:.1f}C{start + 30:.0f} {centre:.1f} {_LEAF - 40:.0f} {at:.1f} {_LEAF - 8:.0f} {at:.1f}",
            "pale",
        )
        yield label(_LEAF, at + 4, cut(line, _WIDTH - _LEAF - 10))


def _dot(x: float, y: float, *, filled: bool) -> Markup:
    kind = "blue" if filled else "open"
    return tag("circle", cx=x, cy=y, r=4.5, class_=f"d-{kind}")


def _legend(y: float) -> Iterator[Markup]:
    yield _dot(_LEFT + 5, y, filled=True)
    yield label(_LEFT + 16, y + 4, "every model has it", "grey")
    yield _dot(_LEFT + 165, y, filled=False)
    yield label(_LEFT + 176, y + 4, "some have it, or vary in it", "grey")


PART = Part("figure2", "Figure 2: feature diagram of ML models", "5.2.2.1", compute)
