"""The models of a catalogue, as `families` compares them: those of each package's latest release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from modelshelf.package.catalogue import Catalogue, Described
from modelshelf.package.record import Feature, Record, Variant
from modelshelf.study.families import Model

_ARCHITECTURE = "network-architecture"
_OWN = ("task", "algorithm", "dataset", "language")


def of_catalogue(catalogue: Catalogue) -> Iterator[Model]:
    """Every model of the latest releases, in the catalogue's order."""
    for _name, releases in groupby(catalogue.releases, key=lambda each: each.record.package.name):
        *_older, latest = releases
        yield from of_release(latest)


def of_release(release: Described) -> Iterator[Model]:
    """The models of one release, with the hub's own names and labels."""
    record = release.record
    for variant in record.variants:
        yield of_variant(
            record,
            variant,
            name=_hub_name(release) if len(record.variants) == 1 else None,
            architectures=release.labels.get(_ARCHITECTURE, ()),
            text=release.text,
            handle=_without_version(release.handle),
        )


def of_variant(
    record: Record,
    variant: Variant,
    *,
    name: str | None = None,
    architectures: tuple[str, ...] = (),
    text: str = "",
    handle: str = "",
) -> Model:
    """One model of a package; what its variant says of itself goes before what the package says."""
    package = record.package
    own = {key: str(variant.features[key]) for key in _OWN if key in variant.features}
    algorithm = own.get("algorithm") or package.algorithm
    return Model(
        package=package.name,
        variant=variant.name,
        name=name or _own_name(record, variant),
        task=own.get("task") or package.task,
        architectures=architectures or ((algorithm,) if algorithm else ()),
        datasets=(own["dataset"],) if "dataset" in own else package.datasets,
        languages=_direction(variant) or tuple(_listed(own.get("language") or package.language)),
        summary=variant.summary or package.summary or "",
        text=text,
        declared=package.family,
        features=_differing(variant),
        handle=handle,
    )


def _hub_name(release: Described) -> str:
    """Without publisher and version: `acme/digits/small/3` → `digits/small`."""
    handle = _without_version(release.handle)
    return handle.partition("/")[2] or handle


def _without_version(handle: str) -> str:
    name, _slash, last = handle.rpartition("/")
    return name if name and last.isdigit() else handle


def _own_name(record: Record, variant: Variant) -> str:
    """A package of several models names each by its variant, one of a single model by itself."""
    if len(record.variants) > 1:
        return variant.entrypoint or variant.name
    return record.package.name.partition("/")[2]


def _direction(variant: Variant) -> tuple[str, ...]:
    """Of a translation: who translates the other way cannot stand in."""
    ends = [variant.features.get(f"{end}-language") for end in ("source", "target")]
    return (" to ".join(map(str, ends)),) if all(ends) else ()


def _differing(variant: Variant) -> dict[str, Feature]:
    return {key: value for key, value in variant.features.items() if key not in _OWN}


def _listed(languages: str | None) -> Iterable[str]:
    return [each for each in (languages or "").replace(",", " ").split() if each]
