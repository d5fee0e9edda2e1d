"""A sheet of kind Module or Placeholder → one release with the record that its labels make."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.importers.page.labels import Sheet, one_line, values
from modelshelf.importers.page.licenses import expression
from modelshelf.importers.page.tasks import task
from modelshelf.importers.sheets.tags import Tags
from modelshelf.package.catalogue import Asset, Described, Found
from modelshelf.package.record import Artifact, Package, Record, Variant

DEFAULT = "default"
"""The one variant of a package: here the package itself is the model."""
HUB = "https://tfhub.dev/"
DEFAULT_LICENSE = "Apache-2.0"
"""What holds where a page names none (the hub's guide to writing pages)."""
_TASK_KEYS = ("task", "module-type")
_FORMATS = {
    "hub": "tf-hub-module",
    "saved_model": "tf-savedmodel",
    "saved_model_2": "tf-savedmodel",
}
CONTEXTS = {
    "tf-hub-module": ("python",),
    "tf-savedmodel": ("python", "remote", "other-language"),
    "tflite": ("edge",),
    "tfjs": ("javascript",),
}
"""Where each format of the hub runs (paper, Table 7)."""

_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)


class Handle(NamedTuple):
    """`acme/digits/3` in its two parts; `version` is None where the hub gave none."""

    name: str
    version: int | None


def parted(handle: str) -> Handle:
    """The name and the version of a handle."""
    name, _, last = handle.rpartition("/")
    if name and _VERSION.fullmatch(last):
        return Handle(name, int(last))
    return Handle(handle, None)


class Words(NamedTuple):
    """A value of the record with how it is known."""

    value: str | None
    found: Found | None = None


def described(sheet: Sheet, page: str, name: str, tags: Tags) -> Described:
    """The release that a sheet describes, as the package `name`; its handle has a version."""
    summary, cut = one_line(sheet.summary)
    facts = _labelled(sheet, tags)
    formats = _formats(sheet)
    found = {f"package.{key}": words.found for key, words in facts.items() if words.found}
    datasets = _shown(sheet, "dataset", tags)
    if datasets:
        found["package.datasets"] = Found("label")
    if summary:
        found["package.summary"] = Found("text")
    if formats:
        found[f"variants.{DEFAULT}.artifacts"] = Found("label")
    return Described(
        record=Record(
            package=Package(
                name=name,
                version=f"{parted(sheet.handle).version}.0.0",
                summary=summary or None,
                license=facts["license"].value,
                task=facts["task"].value,
                algorithm=facts["algorithm"].value,
                datasets=datasets,
                language=facts["language"].value,
            ),
            variants=(Variant(name=DEFAULT, artifacts=_artifacts(formats)),),
        ),
        handle=sheet.handle,
        url=HUB + sheet.handle,
        page=page,
        text=f"{sheet.summary}\n\n{sheet.text}" if cut else sheet.text,
        found={"package.name": Found("name"), "package.version": Found("name"), **found},
        labels=sheet.labels,
        assets=tuple(Asset(DEFAULT, each, url(sheet)) for each in formats),
    )


def url(sheet: Sheet) -> str | None:
    """Where the sheet says that its files lie; None where only the hub knows."""
    paths = sheet.labels.get("asset-path", ())
    return next((path for path in paths if path.startswith(("https://", "http://"))), None)


def _labelled(sheet: Sheet, tags: Tags) -> dict[str, Words]:
    algorithm = ", ".join(_shown(sheet, "network-architecture", tags))
    languages = sorted({each.lower() for each in values(sheet.labels.get("language", ()))})
    return {
        "task": _task(sheet),
        "license": _license(sheet),
        "algorithm": Words(algorithm, Found("label")) if algorithm else Words(None),
        "language": Words(", ".join(languages), Found("label")) if languages else Words(None),
    }


def _task(sheet: Sheet) -> Words:
    """The first task named; of several, another may be the one that is meant."""
    labels = [label for key in _TASK_KEYS for label in values(sheet.labels.get(key, ()))]
    if not labels:
        return Words(None)
    word, nearest = task(labels[0])
    return Words(word, Found("label", unsure=nearest or len(labels) > 1))


def _license(sheet: Sheet) -> Words:
    written = sheet.labels.get("license", ())
    named = list(dict.fromkeys(filter(None, map(expression, written))))
    if named:
        return Words(" OR ".join(named), Found("label", unsure=len(named) > 1))
    return Words(DEFAULT_LICENSE, Found("default"))


def _shown(sheet: Sheet, key: str, tags: Tags) -> tuple[str, ...]:
    """The values of a label as people are shown them."""
    names = tags.get(key, {})
    written = sheet.labels.get(key, ())
    whole = {value: (names[value],) if value in names else values((value,)) for value in written}
    return tuple(dict.fromkeys(names.get(part, part) for parts in whole.values() for part in parts))


def _formats(sheet: Sheet) -> tuple[str, ...]:
    named = (_FORMATS.get(label.lower()) for label in sheet.labels.get("format", ()))
    return tuple(dict.fromkeys(each for each in named if each))


def _artifacts(formats: tuple[str, ...]) -> tuple[Artifact, ...]:
    return tuple(Artifact(each, (), CONTEXTS[each]) for each in formats)
