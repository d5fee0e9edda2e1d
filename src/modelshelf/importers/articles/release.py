"""A page of the hub, read → one release with the record that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from modelshelf.importers.articles.callables import entrypoints
from modelshelf.importers.articles.data import data
from modelshelf.importers.articles.owners import dependencies
from modelshelf.importers.articles.package import fields
from modelshelf.importers.articles.processing import preprocessing
from modelshelf.importers.articles.reading import Reading
from modelshelf.importers.articles.variants import Facts, source_of, unnamed, variants
from modelshelf.importers.page import python_needs, signatures
from modelshelf.importers.page.architectures import algorithms
from modelshelf.importers.page.front_matter import items
from modelshelf.importers.page.models import Models, models
from modelshelf.importers.page.purpose import Purpose, purpose
from modelshelf.importers.page.training import training
from modelshelf.package.catalogue import Described, Found
from modelshelf.package.record import Package, Record, Requires

HUB = "https://pytorch.org/hub/"
VERSION = "1.0.0"
"""The hub has no versions: what a page loads is whatever its repository holds."""
_ACCELERATORS = ("cuda", "cuda-optional")


class Setting(NamedTuple):
    """What is known of a page beside its own text.

    `name` is the package's by our rules, `foreign` the packages that own entrypoints which the
    page calls, by entrypoint.
    """

    name: str
    foreign: Mapping[str, str] = {}


def described(reading: Reading, setting: Setting) -> Described:
    """The release that a page describes."""
    offered = models(reading.examples, reading.page, setting.foreign)
    meant = _purpose(reading)
    facts = _facts(reading, offered, meant)
    told = variants(reading, offered.models, facts)
    package = fields(reading, facts, told, meant)
    needs, needed = _requires(reading)
    trained = training(reading.page)
    prepared = preprocessing(reading.examples.blocks)
    called = signatures.read(reading.page)
    callables = entrypoints(offered, reading.page)
    needing = dependencies(reading, offered.foreign, setting.foreign)
    needing.pop(setting.name, None)
    found = {
        "package.name": Found("name"),
        "package.version": Found("default"),
        **package.found,
        **needed,
        **told.found,
        "training": Found("text", unsure=not trained.told) if trained else None,
        "entrypoints": _listing(offered) if callables else None,
        "dependencies": Found("code") if needing else None,
        "preprocessing": Found("code") if prepared else None,
        "signatures": called.found if called.signatures else None,
    }
    return Described(
        record=Record(
            Package(name=setting.name, version=VERSION, **package.values),
            told.variants or (unnamed(),),
            dependencies=needing,
            requires=needs,
            training=trained.training if trained else None,
            preprocessing=prepared,
            signatures=called.signatures,
            entrypoints=callables,
        ),
        handle=reading.draft.name,
        url=f"{HUB}{reading.draft.name}/",
        page=reading.draft.path,
        text=reading.draft.body.strip("\n") + "\n",
        found={place: known for place, known in found.items() if known},
        labels=dict(reading.draft.labels),
        assets=told.assets,
    )


def _purpose(reading: Reading) -> Purpose | None:
    draft = reading.draft
    head = f"{draft.first('title')}. {draft.first('summary')}"
    folders = draft.first("github-link").partition("://")[2].partition("/")[2]
    return purpose(reading.page, head, folders, items(draft.labels.get("tags", ())))


def _facts(reading: Reading, offered: Models, meant: Purpose | None) -> Facts:
    names = {
        each.name: [reading.core(each.written), reading.core(each.entrypoint)]
        for each in offered.models
    }
    return Facts(
        meant.task if meant else None,
        algorithms(reading.page, reading.draft.first("title"), names),
        data(reading, offered.models),
    )


def _requires(reading: Reading) -> tuple[Requires, dict[str, Found]]:
    """What must be installed, and the accelerator that the page's labels name."""
    needs = python_needs.read(reading.page)
    found = {f"requires.{field}": known for field, known in needs.found.items()}
    word = reading.draft.first("accelerator").lower()
    hardware = (word,) if word in _ACCELERATORS else ()
    if hardware:
        found["requires.hardware"] = Found("label")
    requires = needs.requires
    return (
        Requires(requires.python, requires.python_version, requires.frameworks, hardware),
        found,
    )


def _listing(offered: Models) -> Found:
    """Sure where one place of the page names all entrypoints that return models."""
    return Found(source_of(offered.place), unsure=not offered.place)
