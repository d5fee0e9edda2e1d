"""A sheet of kind Module or Placeholder → one release with the record that its labels make."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from modelshelf.importers.page.labels import Labels, Sheet, one_line, values
from modelshelf.importers.page.licenses import expression
from modelshelf.importers.page.tasks import task
from modelshelf.importers.sheets.deployment import FORMATS as DEPLOYED_FORMATS
from modelshelf.importers.sheets.deployment import Deployed
from modelshelf.importers.sheets.handle import HUB, parted
from modelshelf.importers.sheets.tags import Tags
from modelshelf.package.catalogue import Asset, Described, Found, HubPublisher
from modelshelf.package.record import Artifact, Developer, Package, Record, Variant

DEFAULT = "default"
"""The one variant of a package: here the package itself is the model."""
DEFAULT_LICENSE = "Apache-2.0"
"""What holds where a page names none (the hub's guide to writing pages; paper, 4.2.1)."""
CONTEXTS = {
    "tf-hub-module": ("python",),
    "tf-savedmodel": ("python", "remote", "other-language"),
    "tflite": ("edge",),
    "tfjs": ("javascript",),
}
"""Where each format of the hub runs (paper, Table 7)."""
_FORMATS = {
    "hub": "tf-hub-module",
    "saved_model": "tf-savedmodel",
    "saved_model_2": "tf-savedmodel",
}
_TASKS = ("task", "module-type")
_KEYWORDS = (*_TASKS, "network-architecture", "dataset")
"""By what the hub finds pages."""
_OF_DEPLOYMENTS = {"asset-path", "parent-model", "format"}
"""Labels that say nothing of the release that was deployed."""


class Setting(NamedTuple):
    """What is known of a release beside its own sheet."""

    name: str
    """Of the package, by our rules."""
    publisher: HubPublisher | None = None
    tags: Tags = MappingProxyType({})
    deployments: Sequence[Deployed] = ()
    like: Sequence[Deployed] = ()
    """Deployments of other releases of the package, for one that names none of its own."""
    gone: str | None = None


class _Fact(NamedTuple):
    value: str | None = None
    found: Found | None = None


def described(sheet: Sheet, page: str, setting: Setting) -> Described:
    """The release that a sheet describes; its handle has a version."""
    summary, cut = one_line(sheet.summary)
    facts = _facts(sheet, setting.tags)
    artifacts, built = _artifacts(sheet, setting)
    datasets = _shown(sheet, "dataset", setting.tags)
    keywords = _keywords(sheet.labels)
    package = Package(
        name=setting.name,
        version=f"{parted(sheet.handle).version}.0.0",
        summary=summary or None,
        license=facts["license"].value,
        task=facts["task"].value,
        algorithm=facts["algorithm"].value,
        datasets=datasets,
        language=facts["language"].value,
        keywords=keywords,
        developers=_developers(sheet.handle, setting.publisher),
    )
    variant = Variant(DEFAULT, artifacts, features=_features(sheet.labels))
    found = {
        "package.name": Found("name"),
        "package.version": Found("name"),
        "package.summary": Found("text") if summary else None,
        "package.datasets": Found("label") if datasets else None,
        "package.keywords": Found("label") if keywords else None,
        "package.developers": Found("hub" if _has_page(setting.publisher) else "name"),
        f"variants.{DEFAULT}.artifacts": built,
        f"variants.{DEFAULT}.features": Found("label") if variant.features else None,
        **{f"package.{key}": fact.found for key, fact in facts.items()},
    }
    return Described(
        record=Record(package, (variant,)),
        handle=sheet.handle,
        url=HUB + sheet.handle,
        page=page,
        text=f"{sheet.summary}\n\n{sheet.text}" if cut else sheet.text,
        found={place: source for place, source in found.items() if source},
        labels=_all_labels(sheet, setting.deployments),
        assets=_assets(sheet, setting.deployments),
        gone=setting.gone,
    )


def _facts(sheet: Sheet, tags: Tags) -> dict[str, _Fact]:
    algorithm = ", ".join(_shown(sheet, "network-architecture", tags))
    languages = sorted({each.lower() for each in values(sheet.labels.get("language", ()))})
    return {
        "task": _task(sheet),
        "license": _license(sheet),
        "algorithm": _Fact(algorithm, Found("label")) if algorithm else _Fact(),
        "language": _Fact(", ".join(languages), Found("label")) if languages else _Fact(),
    }


def _task(sheet: Sheet) -> _Fact:
    """The first task named; of several, another may be the one that is meant."""
    labels = [label for key in _TASKS for label in values(sheet.labels.get(key, ()))]
    if not labels:
        return _Fact()
    word, nearest = task(labels[0])
    return _Fact(word, Found("label", unsure=nearest or len(labels) > 1))


def _license(sheet: Sheet) -> _Fact:
    written = sheet.labels.get("license", ())
    named = list(dict.fromkeys(filter(None, map(expression, written))))
    if named:
        return _Fact(" OR ".join(named), Found("label", unsure=len(named) > 1))
    return _Fact(DEFAULT_LICENSE, Found("default"))


def _shown(sheet: Sheet, key: str, tags: Tags) -> tuple[str, ...]:
    """The values of a label as people are shown them."""
    names = tags.get(key, {})
    parts = (
        part
        for value in sheet.labels.get(key, ())
        for part in ((value,) if value in names else values((value,)))
    )
    return tuple(dict.fromkeys(names.get(part, part) for part in parts))


def _keywords(labels: Labels) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for key in _KEYWORDS for word in values(labels.get(key, ()))))


def _features(labels: Labels) -> dict[str, bool | int | float | str]:
    written = labels.get("fine-tunable") or labels.get("finetunable") or ("",)
    said = written[0].lower()
    return {"fine-tunable": said == "true"} if said in ("true", "false") else {}


def _developers(handle: str, publisher: HubPublisher | None) -> tuple[Developer, ...]:
    if publisher is None:
        return (Developer(handle.partition("/")[0], kind="organization"),)
    return (Developer(publisher.display, kind=publisher.kind),)


def _has_page(publisher: HubPublisher | None) -> bool:
    return publisher is not None and bool(publisher.text)


def _artifacts(sheet: Sheet, setting: Setting) -> tuple[tuple[Artifact, ...], Found]:
    """What the release is made of: its own formats, then those it was deployed in."""
    made = [Artifact(each, (), CONTEXTS[each]) for each in _formats(sheet)]
    made += [_artifact(each) for each in setting.deployments]
    found = Found("label", unsure=any(each.unsure for each in setting.deployments))
    if not made:
        made = [_artifact(each) for each in setting.like] or [_guessed(sheet)]
        found = Found("default", unsure=True)
    return tuple(dict.fromkeys(made)), found


def _guessed(sheet: Sheet) -> Artifact:
    """The format of a page from before the hub labelled it: there was one, then a second."""
    named = "tf-savedmodel" if "SavedModel" in sheet.text else "tf-hub-module"
    return Artifact(named, (), CONTEXTS[named])


def _artifact(each: Deployed) -> Artifact:
    return Artifact(each.format, (), CONTEXTS[each.format], each.precision)


def _formats(sheet: Sheet) -> tuple[str, ...]:
    if sheet.kind in DEPLOYED_FORMATS:
        return ()
    named = (_FORMATS.get(label.lower()) for label in sheet.labels.get("format", ()))
    return tuple(dict.fromkeys(each for each in named if each))


def _assets(sheet: Sheet, deployments: Sequence[Deployed]) -> tuple[Asset, ...]:
    own = [Asset(DEFAULT, each, _address(sheet)) for each in _formats(sheet)]
    others = [Asset(DEFAULT, each.format, _address(each.sheet)) for each in deployments]
    return tuple(dict.fromkeys([*own, *others]))


def _address(sheet: Sheet) -> str | None:
    """Where the sheet says that its files lie; None where only the hub knows."""
    paths = sheet.labels.get("asset-path", ())
    return next((path for path in paths if path.startswith(("https://", "http://"))), None)


def _all_labels(sheet: Sheet, deployments: Sequence[Deployed]) -> Labels:
    """The sheet's labels, and those that only its deployments have."""
    found: Labels = {}
    for each in deployments:
        found = {
            key: tuple(dict.fromkeys((*found.get(key, ()), *written)))
            for key, written in {**found, **each.sheet.labels}.items()
            if key not in _OF_DEPLOYMENTS
        }
    return {**found, **sheet.labels}
