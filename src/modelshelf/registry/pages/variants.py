"""The table of variants: what each is good at, what it takes, and in which formats it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from modelshelf.package.entry import Entry
from modelshelf.package.record import Artifact, Metric, Variant, default_variant
from modelshelf.registry.pages.rendering import count, size

_MOST_METRICS = 5


class ArtifactRow(NamedTuple):
    """One artifact in its variant's row; `cost` and `memory` are empty where nobody measured.

    `size` is None where there are no files.
    """

    label: str
    size: int | None
    macs: str
    memory: str
    measured: str


class VariantRow(NamedTuple):
    """One line of the table; `metrics` are in the order of the table's columns."""

    name: str
    default: bool
    features: str
    metrics: tuple[str, ...]
    parameters: str
    macs: str
    memory: str
    measured: str
    artifacts: tuple[ArtifactRow, ...]
    contexts: str


class VariantTable(NamedTuple):
    """All rows, the names of the metrics' columns, and which other columns have anything to show.

    `measured` tells with what the multiply-accumulates and the memory were measured.
    """

    rows: tuple[VariantRow, ...]
    metrics: tuple[str, ...]
    shows_parameters: bool
    shows_macs: bool
    shows_memory: bool
    measured: tuple[str, ...]


def variant_table(entry: Entry, components: object) -> VariantTable:
    """The table of a release, in the publisher's order.

    `components` is the value of that element: what a reader saw in each file.
    """
    sizes = {file.path: file.size for file in entry.files}
    inside = _inside(components)
    metrics = metric_names(entry.variants)
    usual = default_variant(entry.variants).name
    rows = tuple(
        _variant_row(variant, metrics, sizes, inside, default=variant.name == usual)
        for variant in entry.variants
    )
    return VariantTable(
        rows,
        metrics,
        shows_parameters=any(row.parameters for row in rows),
        shows_macs=any(row.macs for row in rows),
        shows_memory=any(row.memory for row in rows),
        measured=tuple(dict.fromkeys(row.measured for row in rows if row.measured))[:5],
    )


def metric_names(variants: Sequence[Variant]) -> tuple[str, ...]:
    """The columns of the variants' metrics: distinct in order, the first five."""
    named = dict.fromkeys(_metric_name(each) for variant in variants for each in variant.metrics)
    return tuple(named)[:_MOST_METRICS]


def _metric_name(metric: Metric) -> str:
    where = " ".join(part for part in (metric.dataset, metric.split) if part)
    return f"{metric.name[:40]} ({where[:60]})" if where else metric.name[:40]


def _variant_row(
    variant: Variant,
    metrics: Sequence[str],
    sizes: Mapping[str, int],
    inside: Mapping[str, int],
    *,
    default: bool,
) -> VariantRow:
    values = {_metric_name(metric): f"{metric.value:.4g}" for metric in variant.metrics}
    artifacts = tuple(_artifact_row(artifact, sizes) for artifact in variant.artifacts)
    seen = [inside[each.first] for each in variant.artifacts if each.first in inside]
    return VariantRow(
        name=variant.name,
        default=default,
        features=", ".join(f"{name} {_text(value)}" for name, value in variant.features.items()),
        metrics=tuple(values.get(name, "") for name in metrics),
        parameters=count(max(seen)) if seen else "",
        macs=next((each.macs for each in artifacts if each.macs), ""),
        memory=next((each.memory for each in artifacts if each.memory), ""),
        measured=next((each.measured for each in artifacts if each.measured), ""),
        artifacts=artifacts,
        contexts=_listed(each for artifact in variant.artifacts for each in artifact.contexts),
    )


def _artifact_row(artifact: Artifact, sizes: Mapping[str, int]) -> ArtifactRow:
    cost = artifact.cost
    inputs = ", ".join(f"{name} {told}" for name, told in (cost.inputs if cost else {}).items())
    on = f" on {inputs}" if inputs else ""
    return ArtifactRow(
        label=artifact.format + (f" {artifact.precision}" if artifact.precision else ""),
        size=sum(sizes.get(path, 0) for path in set(artifact.files)) if artifact.files else None,
        macs="" if cost is None or cost.macs is None else count(cost.macs),
        memory="" if cost is None or cost.peak_memory is None else size(cost.peak_memory),
        measured=f"{cost.tool}{on}"[:300] if cost else "",
    )


def _inside(components: object) -> dict[str, int]:
    """Parameters by path, of the files in which a reader counted them."""
    rows = components if isinstance(components, Sequence) else ()
    return {
        str(row["path"]): row["parameters"]
        for row in rows
        if isinstance(row, Mapping) and "path" in row and isinstance(row.get("parameters"), int)
    }


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
