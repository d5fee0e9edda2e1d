"""The job that makes the families of all packages anew: what `families` reads.

Each package counts with the release that `install` takes, or with its newest where all are only
described. All models are grouped together, whatever hub they come from; beside that each hub is
grouped by itself, to find what several have under different names.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, exists, insert, select, tuple_

from modelshelf.package.catalogue import Described
from modelshelf.package.entry import Entry, Scan
from modelshelf.package.record import Metric, Record, Variant
from modelshelf.registry import log, releases, tables
from modelshelf.registry.derived import readme
from modelshelf.registry.families import (
    FamilyBody,
    FamilyMember,
    Generation,
    Similar,
    ask_for,
)
from modelshelf.registry.imported import Imported
from modelshelf.registry.raw import RawFiles
from modelshelf.registry.service import Kept
from modelshelf.study import datasets
from modelshelf.study.families import Family, Model, families
from modelshelf.study.generations import generations
from modelshelf.study.models import of_release, of_variant
from modelshelf.study.similar import Counted, similar
from modelshelf.study.wording import CLASSES, parse

RULES_VERSION = 1
"""Raised with the rules of `study.families`: then all are made anew."""
_BATCH = 300
_MOST_METRICS = 20
_LONGEST_TITLE = 120
_LONGEST_SEARCHED = 2_000
_IMPORTED = msgspec.json.Decoder(Imported)
_Row = Any
"""A row of the query beside it."""
_Key = tuple[str, str]
"""Package and variant."""


class _Shown(NamedTuple):
    """A model as families compare it, and as pages show it; its labels as they are written."""

    model: Model
    member: FamilyMember
    number: int
    algorithm: str | None
    datasets: tuple[str, ...]


def ask_where_lacking(connection: Connection) -> None:
    """Have them made if there are packages and no families, or families by older rules."""
    of = tables.families.c
    current = exists().where(of.rules == RULES_VERSION)
    here = exists().select_from(tables.releases)
    if connection.execute(select(here & ~current)).scalar():
        ask_for(connection)


def group(kept: Kept) -> None:
    """Make all families anew; doing it twice, or after a crash, gives the same."""
    with kept.database.reading() as connection:
        shown = list(_all_shown(connection, kept.raw))
    rows, members = _rows(shown)
    with kept.database.writing() as connection:
        connection.execute(delete(tables.family_members))
        connection.execute(delete(tables.families))
        if rows:
            connection.execute(insert(tables.families), rows)
            connection.execute(insert(tables.family_members), members)
    log.event("families made", families=len(rows), models=len(members))


def _all_shown(connection: Connection, raw: RawFiles) -> Iterator[_Shown]:
    keys = _latest(connection)
    of, by = tables.releases.c, tables.imports.c
    same = (by.publisher == of.publisher) & (by.name == of.name) & (by.version == of.version)
    query = select(of.record, of.entry, of.facts, by.hub, by.handle, by.body).outerjoin_from(
        tables.releases, tables.imports, same
    )
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        chosen = query.where(tuple_(of.publisher, of.name, of.version).in_(batch))
        for row in connection.execute(chosen.order_by(of.publisher, of.name)):
            yield from _of_row(row, raw)


def _latest(connection: Connection) -> list[tuple[str, str, str]]:
    """Of every package the release that counts; none where nobody may have any."""
    of, package = tables.releases.c, tables.packages.c
    same = (of.publisher == package.publisher) & (of.name == package.name)
    query = (
        select(
            of.publisher, of.name, of.version, of.number, of.yanked, of.verdict, of.rules,
            of.decision, of.described,
        )
        .join_from(tables.releases, tables.packages, same)
        .where(package.status != "quarantined")
        .order_by(of.publisher, of.name, of.number)
    )  # fmt: skip
    found = []
    for (publisher, name), rows in groupby(
        connection.execute(query), key=lambda row: (row.publisher, row.name)
    ):
        allowed = [each for each in map(_summary, rows) if _is_shown(each)]
        if (version := releases.latest(allowed)) is not None:
            found.append((publisher, name, version))
    return found


def _summary(row: _Row) -> releases.Summary:
    scan = None if row.verdict is None else Scan(row.verdict, row.rules, row.decision)
    return releases.Summary(
        row.version, row.number, "", "", "", row.yanked, scan=scan, described=bool(row.described)
    )


def _is_shown(summary: releases.Summary) -> bool:
    return summary.yanked is None and not (summary.scan and summary.scan.withholds)


def _of_row(row: _Row, raw: RawFiles) -> Iterator[_Shown]:
    record = msgspec.json.decode(row.record, type=Record)
    entry = msgspec.json.decode(row.entry, type=Entry)
    said = _IMPORTED.decode(zlib.decompress(row.body)) if row.body else Imported()
    text = "" if _tells(record, said) else readme(raw, record, entry)
    release = Described(record, row.handle or "", "", "", text, labels=said.labels)
    inside = _parameters(row.facts)
    models = of_release(release) if row.hub else _published(record, text)
    for number, (variant, model) in enumerate(zip(record.variants, models, strict=True)):
        member = _member(entry, variant, row.hub, inside)
        algorithm = model.architectures[0] if model.architectures else None
        yield _Shown(model, member, number, algorithm, model.datasets)


def _tells(record: Record, said: Imported) -> bool:
    """Whether labels name the algorithm: then nobody looks for it in the text."""
    labels = said.labels.get("network-architecture") or (record.package.algorithm or "",)
    return any(not CLASSES.issuperset(parse(label).words) for label in labels if label)


def _published(record: Record, text: str) -> Iterator[Model]:
    """The models of a package that was published here: it is one product line, named by both."""
    for variant in record.variants:
        alone = len(record.variants) == 1
        name = record.package.name.partition("/")[2]
        yield of_variant(
            record, variant, name=name if alone else f"{name} {variant.name}", text=text
        )


def _parameters(facts: bytes | None) -> dict[str, int]:
    """Parameters by path, of the files in which a reader counted them."""
    rows = msgspec.json.decode(facts).get("components") if facts else None
    return {row["path"]: row["parameters"] for row in rows or () if "parameters" in row}


def _member(
    entry: Entry, variant: Variant, hub: str | None, inside: Mapping[str, int]
) -> FamilyMember:
    sizes = {file.path: file.size for file in entry.files}
    first = next(iter(variant.artifacts), None)
    size = sum(sizes.get(path, 0) for path in set(first.files)) if first else 0
    costs = [each.cost.macs for each in variant.artifacts if each.cost and each.cost.macs]
    return FamilyMember(
        package=entry.name,
        version=entry.version,
        variant=variant.name,
        hub=hub,
        described=entry.described,
        alone=len(entry.variants) == 1,
        formats=tuple(dict.fromkeys(each.format for each in variant.artifacts)),
        metrics=variant.metrics[:_MOST_METRICS],
        size=size or None,
        parameters=max(
            (inside[a.first] for a in variant.artifacts if a.first in inside), default=None
        ),
        macs=next(iter(costs), None),
    )


def _rows(
    shown: Sequence[_Shown],
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of both tables."""
    by_key = {(each.model.package, each.model.variant): each for each in shown}
    found = families(each.model for each in shown)
    titles = {each.id: _title(each, _of(each, by_key)) for each in found}
    lines = _generations(found, titles, by_key)
    alike = _similar(shown, found, titles)
    rows, members = [], []
    for family in found:
        own = _of(family, by_key)
        steps = lines.get(family.id, ())
        newest = steps[-1].family if steps else None
        body = FamilyBody(
            datasets=_spelled(family, own),
            hubs=dict(Counter(each.member.hub or "" for each in own)),
            generations=steps,
            similar=alike.get(family.id, ()),
        )
        rows.append(
            {
                "id": family.id,
                "title": titles[family.id],
                **_shared(family, own),
                "declared": family.declared,
                "models": len(own),
                "packages": len({each.model.package for each in own}),
                "newer": newest if newest != family.id else None,
                "body": msgspec.json.encode(body),
                "rules": RULES_VERSION,
            }
        )
        members += [_member_row(family, number, each) for number, each in enumerate(own)]
    return rows, members


def _of(family: Family, by_key: Mapping[_Key, _Shown]) -> list[_Shown]:
    return [by_key[member.package, member.variant] for member in family.members]


def _member_row(family: Family, place: int, shown: _Shown) -> dict[str, object]:
    told = family.members[place]
    member = msgspec.structs.replace(shown.member, features=dict(told.features), why=told.why)
    publisher, _, name = told.package.partition("/")
    return {
        "publisher": publisher,
        "name": name,
        "number": shown.number,
        "family": family.id,
        "body": msgspec.json.encode(member),
    }


def _shared(family: Family, own: Sequence[_Shown]) -> dict[str, object]:
    """The parts of the key; of a declared family what all of its members say."""
    parts: dict[str, object] = {
        "task": family.task,
        "algorithm": family.algorithm,
        "dataset": family.dataset,
        "language": family.language,
    }
    if family.declared:
        tasks = {each.model.task for each in own}
        algorithms = {each.algorithm for each in own}
        parts["task"] = tasks.pop() if len(tasks) == 1 else None
        parts["algorithm"] = algorithms.pop() if len(algorithms) == 1 else None
    return parts


def _title(family: Family, own: Sequence[_Shown]) -> str:
    """What people call it: its algorithm as most labels write it, or summaries, with capitals."""
    if family.declared:
        return str(own[0].model.declared)[:_LONGEST_TITLE]
    if family.algorithm is None:
        return own[0].model.name[:_LONGEST_TITLE] or own[0].model.package
    spelled = re.compile(
        "[ _-]?".join(map(re.escape, family.algorithm.split())), re.IGNORECASE | re.ASCII
    )
    labels = Counter(_found(spelled, (each.algorithm for each in own)))
    summaries = Counter(_found(spelled, (each.model.summary for each in own)))
    ranked = [text for written in (labels, summaries) for text, _ in written.most_common()]
    proper = (text for text in ranked if text != text.lower())
    return next(proper, None) or next(iter(ranked), family.algorithm)[:_LONGEST_TITLE]


def _found(wanted: re.Pattern[str], texts: Iterable[str | None]) -> Iterator[str]:
    found = (wanted.search((text or "")[:_LONGEST_SEARCHED]) for text in texts)
    return (match[0][:_LONGEST_TITLE] for match in found if match)


def _spelled(family: Family, own: Sequence[_Shown]) -> tuple[str, ...]:
    """Its data sets, each as most pages write it."""
    written = Counter(label for each in own for label in each.datasets)
    found: dict[str, str] = {}
    for label, _number in written.most_common():
        found.setdefault(datasets.normal(label), label)
    return tuple(found.get(part, part) for part in (family.dataset or "").split(" + ") if part)


def _generations(
    found: Iterable[Family], titles: Mapping[str, str], by_key: Mapping[_Key, _Shown]
) -> dict[str, tuple[Generation, ...]]:
    """The line of generations of each family that is in one."""
    lines: dict[str, tuple[Generation, ...]] = {}
    for line in generations(found):
        metrics = [
            [metric for each in _of(step.family, by_key) for metric in each.member.metrics]
            for step in line.steps
        ]
        measure = _measure(metrics)
        steps = tuple(
            Generation(
                step.number,
                step.family.id,
                titles[step.family.id],
                len(step.family.members),
                _best(own, measure),
            )
            for step, own in zip(line.steps, metrics, strict=True)
        )
        lines |= {step.family: steps for step in steps}
    return lines


def measure(metric: Metric) -> tuple[str, str | None, str | None]:
    """What makes two values comparable."""
    return metric.name, metric.dataset, metric.split


def _measure(metrics: Sequence[Sequence[Metric]]) -> tuple[str, str | None, str | None] | None:
    """What most generations tell of, if at least two do."""
    told = Counter(kind for own in metrics for kind in {measure(each) for each in own})
    best = max(told, key=lambda kind: (told[kind], str(kind)), default=None)
    return best if best and told[best] > 1 else None


def _best(
    metrics: Sequence[Metric], kind: tuple[str, str | None, str | None] | None
) -> Metric | None:
    same = [each for each in metrics if measure(each) == kind]
    if not same:
        return None
    lower = any(each.lower_is_better for each in same)
    return (min if lower else max)(same, key=lambda each: each.value)


def _similar(
    shown: Sequence[_Shown], found: Iterable[Family], titles: Mapping[str, str]
) -> dict[str, tuple[Similar, ...]]:
    """For each family what other catalogues have of the same (the paper's Table 5)."""
    home = {(m.package, m.variant): family.id for family in found for m in family.members}
    by_hub: dict[str, list[Model]] = defaultdict(list)
    for each in shown:
        by_hub[each.member.hub or ""].append(each.model)
    if len(by_hub) < 2:
        return {}
    counted = {hub: Counted(families(models), models) for hub, models in by_hub.items()}
    alike: dict[str, tuple[Similar, ...]] = {}
    for shared in similar(counted):
        rows: Counter[tuple[str, str]] = Counter()
        for hub, family in shared.families.items():
            rows.update((hub, home[each.package, each.variant]) for each in family.members)
        told = tuple(Similar(hub, one, titles[one], models) for (hub, one), models in rows.items())
        alike |= dict.fromkeys(((each.family) for each in told), told)
    return alike
