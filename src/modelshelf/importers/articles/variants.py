"""The models that a page names → variants, with what each has of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from modelshelf.importers.articles.callables import is_callable
from modelshelf.importers.articles.data import Data, beside
from modelshelf.importers.articles.reading import Reading
from modelshelf.importers.page import quality
from modelshelf.importers.page.architectures import Algorithms
from modelshelf.importers.page.figure import Figure
from modelshelf.importers.page.front_matter import items
from modelshelf.importers.page.listed import folded
from modelshelf.importers.page.models import Model
from modelshelf.importers.page.name_features import features, languages
from modelshelf.importers.page.purpose import named_purpose
from modelshelf.package.catalogue import Asset, Found, Source
from modelshelf.package.record import Artifact, Feature, Metric, Variant

FORMAT = "pytorch-hub"
"""What the hub's pages load: code with the weights that it fetches."""
WEIGHTS = (".pt", ".pth", ".bin", ".ckpt")
CONTEXTS = ("python",)
_SOURCES: dict[str, Source] = {"code": "code", "table": "table", "text": "text"}
_TUNED = re.compile(r"\bfine-?tun|finetune", re.IGNORECASE)
_LANGUAGE = frozenset({"language", "lang", "languages"})


class Facts(NamedTuple):
    """What was found of all models of a page."""

    task: str | None
    algorithms: Algorithms
    data: Data


class Told(NamedTuple):
    """The variants of a package, how each of their facts is known, where their weights lie."""

    variants: tuple[Variant, ...]
    found: dict[str, Found]
    assets: tuple[Asset, ...]
    languages: tuple[str, ...]
    """Of all variants, in alphabetical order."""


def variants(reading: Reading, models: Sequence[Model], facts: Facts) -> Told:
    """The variants that models are, in their order."""
    figures = _figures(reading, models)
    made: list[Variant] = []
    found: dict[str, Found] = {}
    spoken = {model.name: _languages(model) for model in models}
    every = tuple(sorted({word for words in spoken.values() for word in words}))
    for model in models:
        own = _own(model, reading, facts)
        if len(set(spoken.values())) > 1 and spoken[model.name]:
            own["language"] = ", ".join(spoken[model.name])
        metrics = figures.get(model.name, ())
        made.append(
            Variant(
                model.name,
                (Artifact(FORMAT, (), CONTEXTS),),
                features=own,
                entrypoint=model.entrypoint if is_callable(model.entrypoint) else None,
                metrics=_distinct(metrics),
            )
        )
        found |= _found(model, own, metrics)
    return Told(tuple(made), found, _assets(reading, models), every)


def _own(model: Model, reading: Reading, facts: Facts) -> dict[str, Feature]:
    """What a variant has of its own: features of its name, then what differs from the package's."""
    own = features(reading.core(model.written))
    if model.chosen and model.chosen.name and model.written != model.chosen.value:
        name = model.chosen.name.replace("_", "-").lower()
        if name not in _LANGUAGE and isinstance(model.chosen.value, str):
            own[name] = model.chosen.value
    if algorithm := facts.algorithms.models.get(model.name):
        own["algorithm"] = algorithm
    if datasets := facts.data.models.get(model.name):
        own["dataset"] = ", ".join(datasets)
    task = _task(model, reading)
    if task and task != facts.task:
        own["task"] = task
    return own


def _task(model: Model, reading: Reading) -> str | None:
    """The task that a model was tuned for, by its entrypoint or the heading above its call."""
    if not any(
        _TUNED.search(text) for text in (model.written, *beside(model, reading.examples.blocks))
    ):
        return None
    keywords = items(reading.draft.labels.get("tags", ()))
    heading = max((s for s in reading.page.sections if s.line <= model.call.line), key=lambda s: s.line,
                  default=None)  # fmt: skip
    return named_purpose(model.entrypoint, keywords) or (
        named_purpose(heading.title, keywords) if heading else None
    )


def _languages(model: Model) -> tuple[str, ...]:
    """The languages of a model, by an argument of that name or by its own name."""
    if model.chosen and model.chosen.name.lower() in _LANGUAGE:
        return (str(model.chosen.value),)
    given = (each for each in model.call.arguments if each.name.lower() in _LANGUAGE)
    stated = next((each.value for each in given if isinstance(each.value, str)), None)
    return (stated,) if stated else languages(model.written)


def _figures(reading: Reading, models: Sequence[Model]) -> Mapping[str, Sequence[Figure]]:
    """The figures of quality of each model."""
    found = quality.read(reading.page)
    title = reading.draft.first("title")
    names: dict[str, Sequence[str]] = {
        each.name: _names(reading.core(each.written), title) for each in models
    }
    if len(models) == 1:
        return {name: quality.own(found, [*called, title]) for name, called in names.items()}
    return quality.shared(found, names)


def _names(written: str, title: str) -> list[str]:
    """A name as written, and with the whole title in place of its beginning (`somenas_cpu`)."""
    first = re.match(r"[^\W\d_]+", written)
    longer = first and len(first[0]) > 2 and folded(title).startswith(first[0].lower())
    return [written, f"{title} {written[first.end() :]}"] if first and longer else [written]


def _distinct(figures: Sequence[Figure]) -> tuple[Metric, ...]:
    """One number for one quality."""
    kept = {
        (each.metric.name, each.metric.dataset, each.metric.split): each.metric for each in figures
    }
    return tuple(kept.values())


def _found(model: Model, own: Mapping[str, Feature], figures: Sequence[Figure]) -> dict[str, Found]:
    place = f"variants.{model.name}"
    found = {
        f"{place}.name": Found(source_of(model.call.place), unsure=model.call.offered),
        f"{place}.artifacts": Found("hub"),
    }
    if own:
        found[f"{place}.features"] = Found(
            "text" if "dataset" in own else "name", unsure="task" in own
        )
    if figures:
        found[f"{place}.metrics"] = Found(
            figures[0].found.source, unsure=any(each.found.unsure for each in figures)
        )
    return found


def source_of(place: str) -> Source:
    """How what stands in a place of a page (`code 2`, `table 57`, `text 40`) is known."""
    return _SOURCES.get(place.partition(" ")[0], "code")


def _assets(reading: Reading, models: Sequence[Model]) -> tuple[Asset, ...]:
    """Weights that the page links to by the name of a model."""
    files = [link.url for link in reading.page.links if link.url.lower().endswith(WEIGHTS)]
    stems = {url.rpartition("/")[2].rpartition(".")[0].lower(): url for url in files}
    return tuple(
        Asset(model.name, FORMAT, stems.get(reading.core(model.written).lower()))
        for model in models
    )


def unnamed() -> Variant:
    """The model of a page that names none."""
    return Variant("default", (Artifact(FORMAT, (), CONTEXTS),))
