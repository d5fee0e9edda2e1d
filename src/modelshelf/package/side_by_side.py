"""Models side by side: what is known of each, in rows that mean the same for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from modelshelf.errors import UsageError
from modelshelf.package import name as names
from modelshelf.package.elements import DIMENSIONS, ELEMENTS
from modelshelf.package.entry import Entry
from modelshelf.package.record import Artifact, Metric, Record, Variant
from modelshelf.package.version import Version

_PYTHON = re.compile(r"\s*([A-Za-z0-9._-]+(?:\[[^\]]*\])?)\s*(.*)", re.DOTALL)


class Known(msgspec.Struct, frozen=True):
    """The value of an element, and how it is known."""

    value: object
    known: str


class Described(msgspec.Struct, frozen=True):
    """A release as the registry tells it."""

    entry: Entry
    record: Record
    elements: dict[str, Known]


class Side(msgspec.Struct, frozen=True):
    """One model: a variant of a release."""

    release: Described
    variant: Variant

    @property
    def names(self) -> dict[str, str]:
        """What it is called."""
        entry = self.release.entry
        return {"name": entry.name, "version": entry.version, "variant": self.variant.name}


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fact of every side, None where it is not known; `best` are the sides that have the best.

    `known` tells of information elements how each is known.
    """

    section: str
    name: str
    values: tuple[object, ...]
    best: tuple[int, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def agreed(self) -> bool:
        """Whether all sides say the same."""
        return all(value == self.values[0] for value in self.values)

    @property
    def empty(self) -> bool:
        """Whether no side says anything."""
        return all(value is None for value in self.values)


class Named(NamedTuple):
    """What `NAME[@VERSION][:VARIANT]` names: the newest release and the default variant where None."""

    name: str
    version: str | None = None
    variant: str | None = None


def parse(text: str) -> Named:
    """One side as it is written; raises Invalid or UsageError."""
    release, colon, variant = text.partition(":")
    name, at, version = release.partition("@")
    names.parse(name)
    if (at and not version) or (colon and not variant):
        raise UsageError(f"`{text}` ends too early", expected="NAME[@VERSION][:VARIANT]")
    if version:
        Version.parse(version)
    return Named(name, version or None, variant or None)


def rows(models: Sequence[Side]) -> tuple[Row, ...]:
    """Everything that can be compared: first what tells models apart, then the 33 elements."""
    return (
        *_aligned("Features", [dict(each.variant.features) for each in models]),
        *_qualities(models),
        *_sizes(models),
        *_costs(models),
        *_aligned("Contexts", [_contexts(each.variant) for each in models]),
        *_aligned("Signatures", [_signatures(each) for each in models]),
        *_aligned("Requirements", [_requirements(each.release) for each in models]),
        *_elements(models),
    )


def _aligned(
    section: str,
    tables: Sequence[Mapping[str, object]],
    best: Callable[[Sequence[object]], tuple[int, ...]] = lambda _values: (),
) -> Iterator[Row]:
    """One row a name, in the order in which the sides tell them."""
    for name in dict.fromkeys(name for table in tables for name in table):
        values = tuple(table.get(name) for table in tables)
        yield Row(section, name, values, best(values))


def _qualities(models: Sequence[Side]) -> Iterator[Row]:
    """Metrics of one name, dataset and split in one row, the best ones marked."""
    tables = [{_metric_name(each): each for each in model.variant.metrics} for model in models]
    for name in dict.fromkeys(name for table in tables for name in table):
        found = [table.get(name) for table in tables]
        lower = any(metric.lower_is_better for metric in found if metric)
        values = tuple(metric.value if metric else None for metric in found)
        yield Row("Quality", name, values, _best(values, lower=lower))


def _metric_name(metric: Metric) -> str:
    where = ", ".join(word for word in (metric.dataset, metric.split) if word)
    return f"{metric.name} ({where})" if where else metric.name


def _best(values: Sequence[object], *, lower: bool) -> tuple[int, ...]:
    """Where the best numbers are; nowhere where fewer than two are known, or all are equal."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < 2 or len(set(numbers)) == 1:
        return ()
    top = min(numbers) if lower else max(numbers)
    return tuple(index for index, value in enumerate(values) if value == top)


def _least(values: Sequence[object]) -> tuple[int, ...]:
    return _best(values, lower=True)


def _sizes(models: Sequence[Side]) -> Iterator[Row]:
    tables = []
    for model in models:
        size = {file.path: file.size for file in model.release.entry.files}
        tables.append(
            {
                _kind(artifact): sum(size.get(path, 0) for path in artifact.files)
                for artifact in model.variant.artifacts
                if artifact.files
            }
        )
    return _aligned("Bytes", tables, _least)


def _costs(models: Sequence[Side]) -> Iterator[Row]:
    """What one call takes, in each format for which somebody measured it."""
    tables = [
        {
            f"{name}, {_kind(artifact)}": value
            for artifact in model.variant.artifacts
            if artifact.cost
            for name, value in (
                ("macs", artifact.cost.macs),
                ("peak memory", artifact.cost.peak_memory),
            )
            if value is not None
        }
        for model in models
    ]
    return _aligned("Cost", tables, _least)


def _kind(artifact: Artifact) -> str:
    return " ".join(filter(None, (artifact.format, artifact.precision)))


def _contexts(variant: Variant) -> dict[str, object]:
    """Context → the formats that are made for it."""
    found: dict[str, list[str]] = {}
    for artifact in variant.artifacts:
        for context in artifact.contexts:
            found.setdefault(context, []).append(artifact.format)
    return {context: list(dict.fromkeys(formats)) for context, formats in found.items()}


def _signatures(model: Side) -> dict[str, object]:
    told: dict[str, object] = {
        name: str(signature) for name, signature in model.release.entry.signatures.items()
    }
    if model.variant.entrypoint:
        told["entrypoint"] = model.variant.entrypoint
    return told


def _requirements(release: Described) -> dict[str, object]:
    """What it needs of models, Python, frameworks and hardware, by name."""
    needs = release.entry.requires
    told: dict[str, object] = {
        name: f"{need.version} ({need.kind})" for name, need in release.entry.dependencies.items()
    }
    if needs.python_version:
        told["Python"] = needs.python_version
    told |= needs.frameworks
    told |= dict(map(_python, needs.python))
    if needs.hardware:
        told["hardware"] = list(needs.hardware)
    return told


def _python(requirement: str) -> tuple[str, str]:
    """`numpy>=1.26` → the name and what is asked of its version."""
    found = _PYTHON.fullmatch(requirement)
    return (found[1], found[2].strip() or "any") if found else (requirement, "any")


def _elements(models: Sequence[Side]) -> Iterator[Row]:
    for dimension in DIMENSIONS:
        for element in ELEMENTS:
            if element.dimension == dimension:
                told = [m.release.elements.get(element.id, Known(None, "absent")) for m in models]
                pairs = zip(models, told, strict=True)
                values = tuple(_narrowed(each.value, model) for model, each in pairs)
                yield Row(dimension, element.name, values, known=tuple(e.known for e in told))


def _narrowed(value: object, model: Side, depth: int = 2) -> object:
    """Of what is told by variant only the part of this one; None for what is told without saying."""
    if value in ([], {}, ""):
        return None
    if not isinstance(value, dict) or not depth:
        return value
    own = model.variant.name
    if own in value and _all_in(value, (each.name for each in model.release.entry.variants)):
        part: object = value[own]
        return part
    return {name: _narrowed(each, model, depth - 1) for name, each in value.items()}


def _all_in(keys: Iterable[str], known: Iterable[str]) -> bool:
    return set(keys) <= set(known)
