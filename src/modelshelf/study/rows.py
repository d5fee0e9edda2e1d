"""The rows that a catalogue is for the study, in all tables of `schema`, made without I/O.

    for row in rows(catalogue):
        row.table, msgspec.to_builtins(row)

`package_rows` makes those of one package, for whoever has more packages than fit into memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from modelshelf.package.catalogue import Catalogue, Described, Found, HubPublisher
from modelshelf.package.elements import ELEMENTS, Element, declared_places
from modelshelf.package.record import Metric, Variant
from modelshelf.study.schema import (
    ArtifactRow,
    CatalogueRow,
    DependencyRow,
    DescriptionRow,
    MetricRow,
    ModelRow,
    PackageRow,
    PageRow,
    PublisherRow,
    PythonNeedRow,
    ReleaseRow,
    Row,
)  # fmt: skip

OWN_COLUMNS = ("task", "algorithm", "dataset", "language")
"""Features of a variant that say of it what the package says of all; they go before the package's."""
_MADE = ("package.name", "package.version")
"""What every record must have: where a page has no such thing, the importer made one."""
_MANY = ("variants.metrics", "variants.artifacts")


class Hub(NamedTuple):
    """What holds for all packages of a catalogue: its label, its publishers, what it shows of each."""

    label: str
    publishers: Mapping[str, HubPublisher] = {}
    provides: tuple[str, ...] = ()
    """Ids of the elements that the hub shows of every release, beside its page."""


def rows(catalogue: Catalogue, label: str | None = None) -> Iterator[Row]:
    """Every row of `catalogue`, of all tables, package by package."""
    label = label or catalogue.specification
    hub = Hub(label, {each.name: each for each in catalogue.publishers}, catalogue.provides)
    count: Counter[str] = Counter()
    for package, releases in groupby(catalogue.releases, key=_package):
        count[package.partition("/")[0]] += 1
        yield from package_rows(hub, tuple(releases))
    yield CatalogueRow(
        label, catalogue.hub, count.total(), len(catalogue.releases), len(catalogue.pages)
    )
    yield from publisher_rows(hub, count)
    yield from page_rows(catalogue, label)


def package_rows(hub: Hub, releases: Sequence[Described]) -> Iterator[Row]:
    """All rows of one package, from all of its releases in the order of their versions."""
    latest = releases[-1]
    yield _package_row(hub, releases)
    for number, each in enumerate(releases, 1):
        place = _Place(
            hub.label, each.record.package.name, each.record.package.version, each is latest
        )
        yield _release_row(place, number, each)
        yield _description_row(place, hub, each)
        yield from _model_rows(place, each)
        yield from _need_rows(place, each)


def publisher_rows(hub: Hub, packages: Mapping[str, int]) -> Iterator[PublisherRow]:
    """Everybody whom the hub names or who has one of `packages` (name → how many)."""
    for name in sorted({*hub.publishers, *packages}):
        told = hub.publishers.get(name)
        kind, display = (told.kind, told.display) if told else (None, None)
        yield PublisherRow(hub.label, name, display, kind, packages.get(name, 0))


def page_rows(catalogue: Catalogue, label: str) -> Iterator[PageRow]:
    """The accounting of pages."""
    for page in catalogue.pages:
        yield PageRow(
            label, page.path, page.kind, page.handle, page.outcome,
            page.into or None, page.reason or None,
        )  # fmt: skip


class _Place(NamedTuple):
    """What the rows of one release begin with."""

    catalogue: str
    package: str
    version: str
    latest: bool


def _package(release: Described) -> str:
    return release.record.package.name


def _package_row(hub: Hub, releases: Sequence[Described]) -> PackageRow:
    latest = releases[-1]
    package, variants = latest.record.package, latest.record.variants
    publisher = package.name.partition("/")[0]
    told = hub.publishers.get(publisher)
    return PackageRow(
        catalogue=hub.label,
        package=package.name,
        handle=latest.handle,
        publisher=publisher,
        publisher_kind=told.kind if told else None,
        by_persons={each.kind for each in package.developers} == {"person"},
        versions=len(releases),
        version=package.version,
        task=package.task,
        algorithm=package.algorithm,
        datasets=_once(package.datasets, (_own(each, "dataset") for each in variants)),
        languages=_once(
            _listed(package.language),
            (word for each in variants for word in _listed(_own(each, "language"))),
        ),
        license=package.license,
        license_source=_source(latest, "package.license"),
        formats=_formats(variants),
        contexts=_once(c for v in variants for a in v.artifacts for c in a.contexts),
        models=len(variants),
        signatures=len(latest.record.signatures),
        signatures_source=_source(latest, "signatures"),
        entrypoints=len(latest.record.entrypoints),
        entrypoints_listed=_are_listed(latest),
        summary=package.summary,
        gone=latest.gone,
    )


def _source(release: Described, place: str) -> str | None:
    found = release.found.get(place)
    return found.source if found else None


def _are_listed(release: Described) -> bool:
    """Whether one place of the page names all of several entrypoints: importers are sure then."""
    found = release.found.get("entrypoints")
    several = {each.entrypoint for each in release.record.variants if each.entrypoint}
    return found is not None and not found.unsure and len(several) > 1


def _release_row(place: _Place, number: int, release: Described) -> ReleaseRow:
    package = release.record.package
    return ReleaseRow(
        *place,
        number=number,
        handle=release.handle,
        url=release.url,
        formats=_formats(release.record.variants),
        license=package.license,
        has_notes=package.notes is not None,
        gone=release.gone,
    )


def _model_rows(place: _Place, release: Described) -> Iterator[Row]:
    package = release.record.package
    for variant in release.record.variants:
        dataset = _own(variant, "dataset")
        yield ModelRow(
            *place,
            variant=variant.name,
            task=_own(variant, "task") or package.task,
            algorithm=_own(variant, "algorithm") or package.algorithm,
            datasets=(dataset,) if dataset else package.datasets,
            language=_own(variant, "language") or package.language,
            features={k: v for k, v in variant.features.items() if k not in OWN_COLUMNS},
            formats=_formats((variant,)),
            declared_family=package.family,
            family=None,
        )
        found = _metrics_found(release, variant)
        yield from (_metric_row(place, variant.name, each, found) for each in variant.metrics)
        for artifact in variant.artifacts:
            for context in artifact.contexts:
                yield ArtifactRow(*place, variant.name, artifact.format, context)


def _metric_row(place: _Place, variant: str, metric: Metric, found: Found | None) -> MetricRow:
    return MetricRow(
        *place,
        variant=variant,
        metric=metric.name,
        dataset=metric.dataset,
        split=metric.split,
        value=metric.value,
        lower_is_better=metric.lower_is_better,
        source=found.source if found else None,
        unsure=found.unsure if found else False,
    )


def _metrics_found(release: Described, variant: Variant) -> Found | None:
    by_name = release.found.get(f"variants.{variant.name}.metrics")
    return by_name or release.found.get("variants.metrics")


def _need_rows(place: _Place, release: Described) -> Iterator[Row]:
    of_all = release.found.get("dependencies")
    for name, needed in release.record.dependencies.items():
        found = release.found.get(f"dependencies.{name}") or of_all
        source, unsure = (found.source, found.unsure) if found else (None, False)
        yield DependencyRow(*place, name, needed.kind, needed.version, source, unsure)
    for requirement in release.record.requires.python:
        yield PythonNeedRow(*place, requirement)


def _description_row(place: _Place, hub: Hub, release: Described) -> DescriptionRow:
    """What the record declares, and what `found` says beside it; the page goes before the hub."""
    filled, places = declared_places(release.record), _places(release.found)
    known: dict[str, Found] = {}
    for element in ELEMENTS:
        declared = not filled.isdisjoint(element.fields)
        if declared and not _made(element, found := _found(element, places)):
            known[element.id] = found or _untold(element)
        elif element.id in release.found:
            known[element.id] = release.found[element.id]
        elif element.id in hub.provides:
            known[element.id] = Found("hub")
    return DescriptionRow(
        *place,
        known=tuple(known),
        sources=tuple(each.source for each in known.values()),
        unsure=tuple(each.unsure for each in known.values()),
    )


def _untold(element: Element) -> Found:
    """What holds for a place that the importer said nothing of."""
    return Found("name") if element.fields[0] in _MADE else Found("default", unsure=True)


def _made(element: Element, found: Found | None) -> bool:
    """Whether the importer had to make up what no record can be without."""
    return element.fields[0] in _MADE and found is not None and found.source == "default"


def _places(found: Mapping[str, Found]) -> dict[str, Found]:
    """`found` by the places that elements name: the surest of what is below each of them."""
    places: dict[str, Found] = {}
    for place, each in found.items():
        head, _, rest = place.partition(".")
        last = f"variants.{rest.rpartition('.')[2]}" if head == "variants" else ""
        for name in dict.fromkeys((place, head, last if last in _MANY else "")):
            if name and (name not in places or (places[name].unsure and not each.unsure)):
                places[name] = each
    return places


def _found(element: Element, places: Mapping[str, Found]) -> Found | None:
    """How the page tells `element`: the surest of its places, the first of equals."""
    told = [places[each] for each in element.fields if each in places]
    return min(told, key=lambda each: each.unsure, default=None)


def _formats(variants: Sequence[Variant]) -> tuple[str, ...]:
    return _once(artifact.format for each in variants for artifact in each.artifacts)


def _own(variant: Variant, feature: str) -> str | None:
    value = variant.features.get(feature)
    return None if value is None else str(value)


def _listed(languages: str | None) -> tuple[str, ...]:
    words = (languages or "").split(",")
    return tuple(word.strip() for word in words if word.strip())


def _once(*words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for many in words for word in many if word))
