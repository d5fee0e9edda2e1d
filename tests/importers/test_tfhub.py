"""TFHub's importer, on pages written here in the shape of the hub's."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import UsageError
from modelshelf.importers import importers, read
from modelshelf.package.catalogue import Asset, Found, Page
from modelshelf.package.record import Artifact
from tests.importers.sheets import Write, only, sheet_text

MODULE = """\
# Module acme/vision/Digits_V1/3

Classifies handwritten digits.

<!-- dataset: UCI digits -->
<!-- task: image-classification -->
<!-- network-architecture: Net-A (N=18, F=448) -->
<!-- fine-tunable: true -->
<!-- format: saved_model_2 -->
<!-- asset-path: https://acme.example/digits.tar.gz -->
<!-- language: en -->
<!-- license: mit -->

## Overview
Digits, as people write them.
"""


def test_the_importer_is_found() -> None:
    assert importers()["tfhub"].place == "DIR"
    with pytest.raises(UsageError, match="names no catalogue"):
        read("tfhub")


def test_a_module_page_becomes_a_release(write: Write) -> None:
    release = only(write(digits=MODULE))
    package = release.record.package
    assert (package.name, package.version) == ("acme/vision-digits-v1", "3.0.0")
    assert package.summary == "Classifies handwritten digits."
    assert package.task == "image-classification"
    assert package.algorithm == "Net-A (N=18, F=448)"
    assert package.datasets == ("UCI digits",)
    assert package.language == "en"
    assert package.license == "MIT"
    (variant,) = release.record.variants
    assert variant.artifacts == (
        Artifact("tf-savedmodel", (), ("python", "remote", "other-language")),
    )
    assert release.handle == "acme/vision/Digits_V1/3"
    assert release.url == "https://tfhub.dev/acme/vision/Digits_V1/3"
    assert release.assets == (
        Asset("default", "tf-savedmodel", "https://acme.example/digits.tar.gz"),
    )
    assert release.text == "## Overview\nDigits, as people write them."
    assert release.labels["fine-tunable"] == ("true",)
    assert release.found["package.task"] == Found("label")
    assert release.found["package.summary"] == Found("text")


def test_a_page_without_a_license_has_the_one_of_the_hub(write: Write) -> None:
    release = only(write(digits=sheet_text("acme/digits/1", "format: hub")))
    assert release.record.package.license == "Apache-2.0"
    assert release.found["package.license"] == Found("default")


@pytest.mark.parametrize(
    ("labels", "task", "unsure"),
    [
        (["module-type: image-classifier"], "image-classification", False),
        (["task: audio-stt"], "audio-speech-to-text", False),
        (["module-type: image-turning"], "image-others", True),
        (["module-type: smelling"], "other", True),
        (["task: text-embedding", "task: text-generation"], "text-embedding", True),
    ],
)
def test_tasks_become_words_of_the_vocabulary(
    write: Write, labels: list[str], task: str, unsure: bool
) -> None:
    release = only(write(digits=sheet_text("acme/digits/1", *labels)))
    assert release.record.package.task == task
    assert release.found["package.task"] == Found("label", unsure=unsure)


def test_versions_are_numbers_and_each_page_is_one(write: Write) -> None:
    catalogue = write(
        ten=sheet_text("acme/digits/10"),
        two=sheet_text("acme/digits/2"),
        other=sheet_text("acme/aleph/1"),
    )
    assert [(r.record.package.name, r.record.package.version) for r in catalogue.releases] == [
        ("acme/aleph", "1.0.0"),
        ("acme/digits", "2.0.0"),
        ("acme/digits", "10.0.0"),
    ]


def test_lists_of_words_say_what_people_are_shown(write: Write, tmp_path: Path) -> None:
    (tmp_path / "tags").mkdir()
    (tmp_path / "tags/network_architecture.yaml").write_text(
        "values:\n  - id: net-a-n18\n    display_name: Net-A (N=18)\n", encoding="utf-8"
    )
    page = sheet_text(
        "acme/digits/1", "network-architecture: net-a-n18", "dataset: b, a", "dataset: c"
    )
    release = only(write(digits=page))
    assert release.record.package.algorithm == "Net-A (N=18)"
    assert release.record.package.datasets == ("b", "a", "c")
    assert release.labels["network-architecture"] == ("net-a-n18",)
    assert release.labels["dataset"] == ("b, a", "c")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("Hello", "its first line is not"),
        ("# Widget acme/digits/1\n", "of a kind that the hub does not have: Widget"),
        ("# Module acme/digits\n", "its handle has no version"),
    ],
)
def test_a_page_that_is_none_is_accounted_for(write: Write, text: str, reason: str) -> None:
    (page,) = write(page=text).pages
    assert page.outcome == "skipped"
    assert page.reason.startswith(reason)


def test_of_two_pages_of_one_version_the_first_counts(write: Write) -> None:
    catalogue = write(
        first=sheet_text("acme/digits/1"), second=sheet_text("acme/digits/1", "format: hub")
    )
    assert [page.outcome for page in catalogue.pages] == ["imported", "skipped"]
    assert catalogue.pages[1] == Page(
        "01-second.md",
        "skipped",
        "Module",
        "acme/digits/1",
        reason="the same handle as 00-first.md",
    )


def test_examples_of_a_checkout_are_no_pages(tmp_path: Path) -> None:
    for path in ("assets/docs/acme/models/digits/1.md", "examples/docs/acme/example.md"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(sheet_text(f"acme/{path[:3]}/1"), encoding="utf-8")
    catalogue = read(f"tfhub:{tmp_path}")
    assert only(catalogue).handle == "acme/ass/1"
    assert [page.outcome for page in catalogue.pages] == ["imported", "skipped"]
    assert catalogue.pages[1].reason.startswith("an example")
