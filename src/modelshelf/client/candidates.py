"""What there is to choose from: every variant in every format, of every package for a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from modelshelf.client.remote import Registry, newest
from modelshelf.errors import IntegrityError, Invalid, NotFound, UsageError
from modelshelf.package.condition import Value, facts
from modelshelf.package.entry import Entry
from modelshelf.package.record import Artifact, Variant, default_variant
from modelshelf.package.search import Hit
from modelshelf.package.vocabularies import nearest, vocabulary

most_packages = 10_000
"""How many packages are looked at, those most installed first: as far as searching goes."""
largest = 1e100
"""Numbers from here on count as not stated: nothing of a model is as large."""
_PAGE = 100
_THREADS = 8

Told = Callable[[int, int], None]
"""Is told how many packages are read and how many there are."""


class Candidate(msgspec.Struct, frozen=True):
    """One variant in one format. `known` is what conditions may be about, by name.

    `metrics` tells of each metric in it whether less is better. `precision` is part of the choice
    where the variant has the format at several: then `ambiguous`.
    """

    package: str
    version: str
    variant: str
    format: str
    known: dict[str, Value]
    metrics: dict[str, bool] = {}
    precision: str | None = None
    algorithm: str | None = None
    datasets: tuple[str, ...] = ()
    default: bool = False
    ambiguous: bool = False

    def number(self, name: str, *, least: bool) -> float | None:
        """The number known under `name`; of several the smallest or the largest."""
        value = self.known.get(name)
        several = value if isinstance(value, tuple) else (value,)
        numbers = [
            float(each)
            for each in several
            if isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < largest
        ]
        if not numbers:
            return None
        return min(numbers) if least else max(numbers)

    def __str__(self) -> str:
        """`acme/digits small (onnx int8)`."""
        precision = f" {self.precision}" if self.ambiguous and self.precision else ""
        return f"{self.package} {self.variant} ({self.format}{precision})"


class Passed(msgspec.Struct, frozen=True):
    """A package that offers no candidate, and why."""

    package: str
    reason: str


class Offer(msgspec.Struct, frozen=True):
    """All candidates, by package; `packages` of `total` that the registry has were looked at."""

    candidates: tuple[Candidate, ...]
    passed: tuple[Passed, ...]
    packages: int
    total: int


def gather(registry: Registry, task: str, told: Told) -> Offer:
    """Every candidate for `task`, out of the newest release of each package that may be chosen.

    Index lines that have not changed since the last time are not sent again. Raises UsageError for
    a task that nobody knows.
    """
    total, hits = _packages(registry, task)
    candidates: list[Candidate] = []
    passed: list[Passed] = []

    def read(hit: Hit) -> tuple[Hit, Entry | str]:
        if hit.availability != "installable":
            return hit, f"{hit.availability.replace('-', ' ')}: the registry has no files of it"
        return hit, _release(registry, hit.name)

    with ThreadPoolExecutor(_THREADS) as pool:
        for count, (hit, found) in enumerate(pool.map(read, hits), start=1):
            if isinstance(found, str):
                passed.append(Passed(hit.name, found))
            else:
                candidates += of_release(found, hit)
            told(count, len(hits))
    return Offer(tuple(candidates), tuple(passed), len(hits), total)


def of_release(entry: Entry, hit: Hit) -> Iterator[Candidate]:
    """The candidates of one release, in the publisher's order."""
    default = default_variant(entry.variants).name
    for variant in entry.variants:
        formats = [artifact.format for artifact in variant.artifacts]
        for artifact in variant.artifacts:
            yield Candidate(
                entry.name,
                entry.version,
                variant.name,
                artifact.format,
                _facts(entry, variant, artifact, hit),
                _directions(variant),
                artifact.precision,
                hit.algorithm,
                hit.datasets,
                variant.name == default,
                formats.count(artifact.format) > 1,
            )


def _facts(entry: Entry, variant: Variant, artifact: Artifact, hit: Hit) -> dict[str, Value]:
    """The facts of the index, and what only searching tells: algorithm and datasets."""
    told: dict[str, Value] = {"dataset": hit.datasets} if hit.datasets else {}
    if hit.algorithm:
        told["algorithm"] = hit.algorithm
    return told | {
        name: value
        for name, value in facts(entry, variant, artifact).items()
        if not (isinstance(value, int) and abs(value) >= largest)
    }


def _directions(variant: Variant) -> dict[str, bool]:
    """Of each metric, under its names, whether less is better."""
    return {
        name: metric.lower_is_better
        for metric in variant.metrics
        for name in (metric.name, f"{metric.name}@{metric.dataset}")[: 2 if metric.dataset else 1]
    }


def _packages(registry: Registry, task: str) -> tuple[int, list[Hit]]:
    """How many packages there are for `task`, and those that are looked at, by name."""
    hits: dict[str, Hit] = {}
    for offset in range(0, most_packages, _PAGE):
        found = registry.search("", {"task": [task]}, offset=offset, limit=_PAGE)
        hits |= {hit.name: hit for hit in found.results}
        if not found.total:
            _require_task(task, {choice.value: choice.count for choice in found.facets["task"]})
        if offset + _PAGE >= found.total or not found.results:
            break
    return found.total, sorted(hits.values(), key=lambda hit: hit.name)


def _require_task(task: str, used: dict[str, int]) -> None:
    known = vocabulary("tasks")
    listed = [f"{name} ({count})" for name, count in used.items()]
    expected = ", ".join(listed[:20]) if listed else None
    if task not in known:
        hint = nearest(task, [*known]) or "docs/reference/vocabularies.md lists all tasks"
        raise UsageError(f"there is no task `{task[:60]}`", expected=expected, hint=hint)
    raise NotFound(
        f"the registry has no package for {task}",
        expected=expected,
        hint="shelf search --task TASK lists the packages of another one",
    )


def _release(registry: Registry, name: str) -> Entry | str:
    """The release that a newcomer gets, or why there is none."""
    try:
        entries = registry.entries(name)
    except (NotFound, Invalid, IntegrityError) as error:
        return error.message
    choosable = tuple(entry for entry in entries if entry.choosable)
    if not choosable:
        return "no release of it may be chosen"
    entry = newest(choosable)
    if entry.status == "deprecated":
        return f"deprecated; use {entry.successor}" if entry.successor else "deprecated"
    return entry


def known_names(candidates: Iterable[Candidate]) -> list[str]:
    """What the candidates say anything of, the most frequent first."""
    counts: dict[str, int] = {}
    for candidate in candidates:
        for name in candidate.known:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))
