"""Deployments of a release, placeholders, and deployments that nothing else belongs to."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.labels import Labels, Sheet
from modelshelf.importers.sheets.deployment import Parent, deployed, parent
from modelshelf.importers.sheets.handle import Handle
from modelshelf.package.catalogue import Asset, Found
from modelshelf.package.record import Artifact
from tests.importers.sheets import Write, only, sheet_text

ARTIFACTS = "variants.default.artifacts"
TFLITE = Artifact("tflite", (), ("edge",))
TFJS = Artifact("tfjs", (), ("javascript",))


def deployment(kind: str, handle: str, of: str, *labels: str) -> str:
    return sheet_text(handle, f"parent-model: {of}", *labels, kind=kind)


def test_deployments_are_artifacts_of_the_release_that_they_name(write: Write) -> None:
    catalogue = write(
        module=sheet_text("acme/digits/1", "format: hub", "asset-path: internal"),
        lite=deployment(
            "Lite",
            "acme/digits/1/int8/2",
            "acme/digits/1",
            "asset-path: https://acme.example/digits.tflite",
            "demo: https://acme.example/demo",
        ),
        script=deployment("Tfjs", "acme/digits/1/default/1", "acme/digits/1"),
    )
    release = only(catalogue)
    assert release.record.variants[0].artifacts == (
        Artifact("tf-hub-module", ()),
        TFJS,
        Artifact("tflite", (), ("edge",), "int8"),
    )
    assert release.assets == (
        Asset("default", "tf-hub-module"),
        Asset("default", "tfjs"),
        Asset("default", "tflite", "https://acme.example/digits.tflite"),
    )
    assert release.labels["demo"] == ("https://acme.example/demo",)
    assert "parent-model" not in release.labels
    merged = [page for page in catalogue.pages if page.outcome == "merged"]
    assert [(page.kind, page.into) for page in merged] == [
        ("Lite", "acme/digits/1"),
        ("Tfjs", "acme/digits/1"),
    ]


def test_a_placeholder_is_made_of_what_was_deployed(write: Write) -> None:
    release = only(
        write(
            page=sheet_text("acme/pose/1", "task: image-pose-detection", kind="Placeholder"),
            lite=deployment("Lite", "acme/pose/tflite/1", "acme/pose/1"),
        )
    )
    assert release.record.package.task == "image-pose-detection"
    assert release.record.variants[0].artifacts == (TFLITE,)
    assert release.found[ARTIFACTS] == Found("label")


def test_a_version_that_names_nothing_is_made_of_what_the_others_are(write: Write) -> None:
    catalogue = write(
        one=sheet_text("acme/pose/1", kind="Placeholder"),
        two=sheet_text("acme/pose/2", kind="Placeholder"),
        lite=deployment("Lite", "acme/pose/tflite/1", "acme/pose/1"),
    )
    first, second = catalogue.releases
    assert second.record.variants == first.record.variants
    assert second.found[ARTIFACTS] == Found("default", unsure=True)


def test_a_placeholder_of_nothing_is_skipped(write: Write) -> None:
    catalogue = write(one=sheet_text("acme/pose/1", kind="Placeholder"))
    assert catalogue.releases == ()
    assert catalogue.pages[0].reason == "a placeholder of which nothing was deployed"


def test_a_deployment_of_nothing_is_a_release_of_its_own(write: Write) -> None:
    catalogue = write(
        lite=deployment(
            "Lite", "acme/faces/1", "acme/lost/1", "asset-path: https://acme.example/f"
        ),
        script=deployment("Tfjs", "acme/faces/1", "acme/lost/1"),
        other=deployment("Lite", "acme/without", "acme/lost/1"),
    )
    release = only(catalogue)
    assert release.record.package.name == "acme/faces"
    assert release.record.variants[0].artifacts == (TFJS, TFLITE)
    assert [page.outcome for page in catalogue.pages] == ["imported", "merged", "skipped"]


def test_a_page_without_a_format_is_of_the_one_that_there_was(write: Write) -> None:
    release = only(write(page=sheet_text("acme/digits/1")))
    assert release.record.variants[0].artifacts == (Artifact("tf-hub-module", ()),)
    assert release.found[ARTIFACTS] == Found("default", unsure=True)


KNOWN = {"acme/digits": [1, 3], "acme/pose/050": [1], "acme/zoo": [2]}


@pytest.mark.parametrize(
    ("named", "own", "expected"),
    [
        ("acme/digits/1", "acme/x/1", Parent(Handle("acme/digits", 1))),
        ("acme/digits", "acme/x/1", Parent(Handle("acme/digits", 3), unsure=True)),
        ("acme/digits/2", "acme/x/1", Parent(Handle("acme/digits", 3), unsure=True)),
        ("acme/pose/050", "acme/x/1", Parent(Handle("acme/pose/050", 1))),
        ("acme/zoo", "acme/x/1", Parent(Handle("acme/zoo", 2))),
        ("acme/models/zoo/2", "acme/x/1", Parent(Handle("acme/zoo", 2))),
        ("", "acme/digits/1/default/4", Parent(Handle("acme/digits", 1), unsure=True)),
        ("acme/lost/1", "acme/digits/default/4", Parent(Handle("acme/digits", 3), unsure=True)),
        ("acme/lost/1", "acme/x/1", None),
    ],
)
def test_the_release_that_a_deployment_is_of(named: str, own: str, expected: Parent | None) -> None:
    labels: Labels = {"parent-model": (named,)} if named else {}
    assert parent(Sheet("Lite", own, "", labels, ""), KNOWN) == expected


@pytest.mark.parametrize(
    ("handle", "precision"),
    [
        ("acme/digits/1/default/1", None),
        ("acme/digits/fp16/2", "float16"),
        ("acme/digits/uint8/transfer/1", "int8"),
        ("acme/digits/dr/1", "mixed"),
        ("acme/int8er/1", None),
    ],
)
def test_folders_of_a_deployment_name_its_precision(handle: str, precision: str | None) -> None:
    assert deployed(Sheet("Lite", handle, "", {}, ""), unsure=False).precision == precision
