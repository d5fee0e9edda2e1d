"""Small hubs that tests of the study's tables measure."""

from __future__ import annotations

from typing import Any

import msgspec

from modelshelf.package.catalogue import Catalogue, Described, Found, HubPublisher, Page
from modelshelf.study.survey import Survey
from tests.study.catalogues import artifact, catalogue, release

PEOPLE = (
    HubPublisher("acme", "Acme", "Acme Vision", "organization"),
    HubPublisher("ada", "ada", "Ada", "person"),
)


def of_hub(hub: str, label: str, *releases: Described, **rest: object) -> Catalogue:
    """A catalogue of that hub under that label."""
    made = catalogue(*releases, name=label, publishers=PEOPLE)
    return msgspec.structs.replace(made, hub=hub, **rest)


def classifier(name: str, *, version: str = "1.0.0", algorithm: str = "Sparrow V2 50") -> Described:
    """A package of one model that classifies images of one dataset."""
    kind = "person" if name.startswith("ada/") else "organization"
    return release(
        name,
        version,
        variants=(
            {"name": "default", "artifacts": artifact("onnx", "tflite", contexts=("edge",))},
        ),
        found={"package.task": Found("label"), "package.algorithm": Found("text", unsure=True)},
        task="image-classification",
        algorithm=algorithm,
        datasets=("ImageNet",),
        license="Apache-2.0",
        developers=({"name": name.partition("/")[0], "kind": kind},),
    )


def embedder(name: str, **package: Any) -> Described:
    """A package of one model that embeds text."""
    return release(name, task="text-embedding", algorithm="Wren", **package)


def birds(label: str = "birds", hub: str = "tfhub") -> Catalogue:
    """Three classifiers of one family, one of them by a person, and an embedding of text."""
    return of_hub(
        hub,
        label,
        classifier("acme/sparrow-18", algorithm="Sparrow V2 18"),
        classifier("acme/sparrow-50"),
        classifier("acme/sparrow-50", version="2.0.0"),
        classifier("ada/sparrow-101", algorithm="Sparrow V2 101"),
        embedder("acme/wren"),
        pages=(
            Page("a.md", "imported", "Module", "acme/sparrow-18/1"),
            Page("b.md", "skipped", "", "", "", "empty"),
        ),
        provides=("size",),
    )


def survey(*catalogues: Catalogue) -> Survey:
    """A survey to be closed."""
    return Survey(catalogues or (birds(),), offers=("install", "upgrade"))
