"""What came, went and changed between snapshots of one hub, in the order in which they are given."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from modelshelf.errors import UsageError
from modelshelf.study import classes
from modelshelf.study.answer import Cell, Column, Made, Part, Table
from modelshelf.study.implications import measured
from modelshelf.study.measures import MEASURES
from modelshelf.study.survey import Survey
from modelshelf.study.table2 import share

MOST_NAMED = 20_000
"""How many packages are listed by name; the counts are of all."""
_SHOWN = 40
_BOTH = """
FROM (SELECT * FROM packages WHERE catalogue = $old) o
FULL JOIN (SELECT * FROM packages WHERE catalogue = $new) n USING (package)
"""


def _lowered(names: str) -> str:
    """SQL of a list of names in one order, whatever their capitals."""
    return f"list_sort(string_split(lower(array_to_string({names}, chr(31))), chr(31)))"


_SIDES = "o.version IS NOT NULL AND n.version IS NOT NULL"
_CHANGES = {
    "newer": ("newer version", "o.version <> n.version"),
    "task": ("task", "o.task IS DISTINCT FROM n.task"),
    "algorithm": ("algorithm", "lower(o.algorithm) IS DISTINCT FROM lower(n.algorithm)"),
    "datasets": ("datasets", f"{_lowered('o.datasets')} <> {_lowered('n.datasets')}"),
    "license": ("license", "o.license IS DISTINCT FROM n.license"),
    "formats": ("formats", "list_sort(o.formats) <> list_sort(n.formats)"),
    "models": ("models", "o.models <> n.models"),
    "gone": ("files gone", "o.gone IS NULL AND n.gone IS NOT NULL"),
}
"""What can change in a package that stays → its title, and when it did."""
_COUNTED = ", ".join(f"count(*) FILTER ({_SIDES} AND {rule})" for _, rule in _CHANGES.values())
_PACKAGES = f"""
SELECT count(*) FILTER (o.version IS NULL), count(*) FILTER (n.version IS NULL),
    count(*) FILTER ({_SIDES}), {_COUNTED} {_BOTH}
"""
_NAMED = f"""
SELECT package, o.version, n.version,
    {", ".join(f"{_SIDES} AND {rule}" for _, rule in _CHANGES.values())} {_BOTH}
WHERE o.version IS NULL OR n.version IS NULL OR {" OR ".join(rule for _, rule in _CHANGES.values())}
ORDER BY package LIMIT {MOST_NAMED}
"""
_SETS = {
    "versions": ("versions", "SELECT package, version FROM releases"),
    "publishers": ("publishers", "SELECT DISTINCT publisher FROM packages"),
    "metrics": (
        "quality figures",
        "SELECT DISTINCT package, variant, metric, lower(dataset), split, value FROM metrics",
    ),
    "dependencies": (
        "dependencies on models",
        "SELECT DISTINCT package, on_package FROM dependencies",
    ),
    "python": ("Python requirements", "SELECT DISTINCT package, requirement FROM python_needs"),
}
_LATEST = ("metrics", "dependencies", "python")
_PUBLISHERS = """
SELECT p.publisher, any_value(p.publisher_kind), count(*) FROM packages p
WHERE p.catalogue = $here AND p.publisher NOT IN
    (SELECT publisher FROM packages WHERE catalogue = $there)
GROUP BY 1 ORDER BY 3 DESC, 1
"""
_KINDS = """
SELECT catalogue, count(DISTINCT publisher),
    count(DISTINCT publisher) FILTER (publisher_kind = 'person'),
    count(DISTINCT publisher) FILTER (publisher_kind = 'organization'),
    count(*) FILTER (by_persons), sum(models)
FROM packages GROUP BY 1
"""
_SHARES = {
    "format": "SELECT catalogue, unnest(formats) AS value FROM packages",
    "usage context": "SELECT catalogue, unnest(contexts) AS value FROM packages",
    "license": "SELECT catalogue, license AS value FROM packages",
    "license found as": "SELECT catalogue, license_source AS value FROM packages",
    "language": "SELECT catalogue, unnest(languages) AS value FROM packages",
}
_FIGURES = (
    "several-versions", "versions-per-package", "noted", "mean-elements", "quality", "metrics",
    "families", "in-families", "model-dependencies", "python-dependencies", "signatures",
    "entrypoints", "demos", "sources", "gone",
)  # fmt: skip


class Step(NamedTuple):
    """From one snapshot to the next of the same hub."""

    old: str
    new: str

    @property
    def name(self) -> str:
        """`2020 → 2024`."""
        return f"{self.old} \u2192 {self.new}"


def steps(survey: Survey) -> tuple[Step, ...]:
    """Every pair of snapshots of one hub that follow each other."""
    by_hub: dict[str, list[str]] = defaultdict(list)
    for each in survey.measured:
        by_hub[each.hub].append(each.label)
    return tuple(Step(*both) for labels in by_hub.values() for both in pairwise(labels))


def compute(survey: Survey) -> Made:
    """The steps as counts, the snapshots side by side, then publishers and packages by name."""
    found = steps(survey)
    if not found:
        raise UsageError(
            "there is nothing to compare over time",
            expected="several snapshots of one hub, the oldest first",
            hint="give --catalogue again for the other snapshot",
        )
    return Made(
        (
            _steps(survey, found),
            _figures(survey),
            _shares(survey),
            _publishers(survey, found),
            _packages(survey, found),
        )
    )


def _steps(survey: Survey, found: tuple[Step, ...]) -> Table:
    """Rows are what is counted, columns the steps."""
    columns = [Column("what", "what"), Column("how", "how")]
    columns += [Column(f"{each.name}", each.name, "", "count") for each in found]
    rows: dict[tuple[str, str], dict[str, Cell]] = defaultdict(dict)
    for each in found:
        for what, how, count in _counts(survey, each):
            rows[what, how] |= {"what": what, "how": how, each.name: count}
    return Table.of("steps", "What came, went and changed", columns, rows.values())


def _counts(survey: Survey, step: Step) -> Iterator[tuple[str, str, int]]:
    row = survey.ask(_PACKAGES, **step._asdict())[0]
    came, went, stayed, *changed = (int(str(each)) for each in row)
    yield from (
        ("packages", "came", came),
        ("packages", "went", went),
        ("packages", "stayed", stayed),
    )
    for (title, _), count in zip(_CHANGES.values(), changed, strict=True):
        yield (
            "packages that stayed",
            f"{title} {'changed' if title in _NOUNS else ''}".strip(),
            count,
        )
    for name, (title, sql) in _SETS.items():
        for how, here, there in (("came", step.new, step.old), ("went", step.old, step.new)):
            yield title, how, _new_in(survey, name, sql, here, there)


_NOUNS = ("task", "algorithm", "datasets", "license", "formats", "models")


def _new_in(survey: Survey, name: str, sql: str, here: str, there: str) -> int:
    latest = " AND latest" if name in _LATEST else ""
    sides = (f"{sql} WHERE catalogue = ${side}{latest}" for side in ("here", "there"))
    statement = f"SELECT count(*) FROM ({' EXCEPT '.join(sides)})"  # noqa: S608
    return int(str(survey.ask(statement, here=here, there=there)[0][0]))


def _figures(survey: Survey) -> Table:
    """Sizes and some measures of each snapshot."""
    columns = [Column("figure", "figure")]
    columns += [Column(label, label, "", "number") for label in survey.labels]
    kinds = {str(row[0]): row[1:] for row in survey.ask(_KINDS)}
    rows: list[dict[str, Cell]] = [
        {"figure": "packages", **{each.label: each.packages for each in survey.measured}},
        {"figure": "versions", **{each.label: each.versions for each in survey.measured}},
    ]
    titles = ("publishers", "publishers: persons", "publishers: organizations",
              "packages of persons", "models")  # fmt: skip
    for number, title in enumerate(titles):
        values = {label: int(str(kinds[label][number])) for label in kinds}
        rows.append({"figure": title, **values})
    found = measured(survey, set(_FIGURES))
    rows += [{"figure": MEASURES[name].title, **found[name]} for name in _FIGURES]
    return Table.of("figures", "Snapshots side by side", columns, rows)


def _shares(survey: Survey) -> Table:
    """Packages by format, context, license, language and task type."""
    columns = [Column("of", "by"), Column("value", "value")]
    for each in survey.measured:
        columns += [
            Column(f"{each.label}:packages", "packages", each.label, "count"),
            Column(f"{each.label}:share", "share", each.label, "share"),
        ]
    rows = []
    for of, counts in _by(survey):
        totals: Counter[str] = Counter()
        for (_, value), count in counts.items():
            totals[value] += count
        for value, _ in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0])):
            row: dict[str, Cell] = {"of": of, "value": value or "(unknown)"}
            for each in survey.measured:
                count = counts.get((each.label, value), 0)
                row[f"{each.label}:packages"] = count
                row[f"{each.label}:share"] = share(count, each.packages)
            rows.append(row)
    return Table.of("shares", "Packages by what they are", columns, rows)


def _by(survey: Survey) -> Iterator[tuple[str, dict[tuple[str, ...], int]]]:
    for of, sql in _SHARES.items():
        statement = f"SELECT catalogue, value, count(*) FROM ({sql}) GROUP BY ALL"  # noqa: S608
        yield of, survey.counted(statement)
    found: Counter[tuple[str, ...]] = Counter()
    tasks = "SELECT catalogue, task, count(*) FROM packages GROUP BY ALL"
    for (label, task), count in survey.counted(tasks).items():
        kind = classes.of(task)
        found[label, f"{kind.input}: {kind.name}"] += count
    yield "task type", dict(found)


def _publishers(survey: Survey, found: tuple[Step, ...]) -> Table:
    columns = (
        Column("step", "step"),
        Column("how", "how"),
        Column("publisher", "publisher"),
        Column("kind", "kind", "", "mark"),
        Column("packages", "packages", "", "count"),
    )
    rows: list[dict[str, Cell]] = []
    for each in found:
        for how, here, there in (("came", each.new, each.old), ("went", each.old, each.new)):
            for name, kind, count in survey.ask(_PUBLISHERS, here=here, there=there):
                row: dict[str, Cell] = {"step": each.name, "how": how, "publisher": str(name)}
                rows.append(row | {"kind": str(kind or "unknown"), "packages": int(str(count))})
    return Table.of("publishers", "Publishers that came and went", columns, rows)


def _packages(survey: Survey, found: tuple[Step, ...]) -> Table:
    columns = (
        Column("step", "step"),
        Column("how", "how"),
        Column("package", "package"),
        Column("old", "version before", "", "mark"),
        Column("new", "version after", "", "mark"),
        Column("changed", "changed", "", "mark"),
    )
    rows: list[dict[str, Cell]] = []
    for each in found:
        for package, old, new, *flags in survey.ask(_NAMED, **each._asdict()):
            changed = [t for (t, _), flag in zip(_CHANGES.values(), flags, strict=True) if flag]
            how = "came" if old is None else "went" if new is None else "changed"
            row: dict[str, Cell] = {"step": each.name, "how": how, "package": str(package)}
            row |= {"old": _text(old), "new": _text(new), "changed": ", ".join(changed) or None}
            rows.append(row)
    order = {"went": 0, "changed": 1, "came": 2}
    rows.sort(key=lambda row: (str(row["step"]), order[str(row["how"])], str(row["package"])))
    table = Table.of("packages", "Packages that went, changed and came", columns, rows)
    return table._replace(most=_SHOWN)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


PART = Part(
    "over-time", "Over time: what came, went and changed", "8.3", compute, lambda s: bool(steps(s))
)
