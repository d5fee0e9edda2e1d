"""PyTorch Hub's importer on the hub's own pages, where they lie beside the checkout."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue, Described
from modelshelf.package.manifest import problems
from modelshelf.study.families import families
from modelshelf.study.models import of_catalogue
from tests.corpora import archive, catalogue_of, corpus


@pytest.fixture(scope="module")
def early() -> Catalogue:
    return catalogue_of("pytorchhub-2020-03")


@pytest.fixture(scope="module")
def late() -> Catalogue:
    return read(f"pytorchhub:{archive('pytorchhub-2024-04')}")


def lists_entrypoints(release: Described) -> bool:
    """Whether a page has a list of several entrypoints that names all of them."""
    several = len({variant.entrypoint for variant in release.record.variants}) > 1
    return several and not release.found["entrypoints"].unsure


def test_every_page_is_accounted_for(early: Catalogue, late: Catalogue) -> None:
    assert Counter(page.outcome for page in early.pages) == {
        "imported": 26,
        "merged": 27,
        "skipped": 1,
    }
    assert Counter(page.outcome for page in late.pages) == {"imported": 52, "skipped": 1}
    assert {page.reason for page in late.pages} == {"", "documentation of the hub itself"}


def test_tasks_are_those_of_table_3(early: Catalogue) -> None:
    assert Counter(release.record.package.task for release in early.releases) == {
        "image-classification": 15,
        "image-generator": 2,
        "image-object-detection": 1,
        "image-segmentation": 3,
        "text-embedding": 2,
        "text-translation": 1,
        "text-to-mel": 1,
        "audio-speech-synthesis": 1,
    }


def test_models_that_the_pages_name(early: Catalogue, late: Catalogue) -> None:
    assert sum(len(release.record.variants) for release in early.releases) == 73
    assert sum(len(release.record.variants) for release in late.releases) > 150


def test_lists_of_entrypoints(early: Catalogue) -> None:
    """10 of 26 pages; of 15 packages with several models 5 do not list all (paper, 4.2.2 and 7)."""
    listing = [release for release in early.releases if lists_entrypoints(release)]
    several = [release for release in early.releases if len(release.record.variants) > 1]
    assert (len(listing), len(several)) == (10, 15)
    assert all(release in several for release in listing)


def test_figures_of_quality_on_17_of_26_pages(early: Catalogue) -> None:
    found = [
        release
        for release in early.releases
        if any(variant.metrics for variant in release.record.variants)
    ]
    assert len(found) == 17


def test_three_packages_of_persons(early: Catalogue) -> None:
    kinds = Counter(
        {developer.kind for developer in release.record.package.developers} == {"person"}
        for release in early.releases
    )
    assert kinds[True] == 3


def test_pages_that_need_each_other(early: Catalogue) -> None:
    needs = {
        release.record.package.name: {k: v.kind for k, v in release.record.dependencies.items()}
        for release in early.releases
        if release.record.dependencies
    }
    (first, second) = sorted(needs)
    assert needs == {first: {second: "pipeline"}, second: {first: "preprocess"}}


def test_families_of_images(early: Catalogue) -> None:
    """13 of classification, one each of generators and detection (paper, Table 4)."""
    found = Counter(
        family.task for family in families(of_catalogue(early)) if len(family.members) > 1
    )
    assert found["image-classification"] == 13
    assert found["image-generator"] == found["image-object-detection"] == 1
    assert found["image-segmentation"] == 0


def test_records_of_both_follow_the_rules(early: Catalogue, late: Catalogue) -> None:
    for release in (*early.releases, *late.releases):
        assert problems(release.record, described=True) == [], release.handle


def test_pages_of_html_say_the_same(early: Catalogue, tmp_path: Path) -> None:
    folder = corpus("pytorchhub-2020-03")
    shutil.copytree(folder / "html", tmp_path / "html")
    shutil.copy(folder / "meta_info.json", tmp_path)
    found = read(f"pytorchhub:{tmp_path}")
    assert [each.handle for each in found.releases] == [each.handle for each in early.releases]
    for one, other in zip(found.releases, early.releases, strict=True):
        assert one.record.entrypoints == other.record.entrypoints
        assert [v.name for v in one.record.variants] == [v.name for v in other.record.variants]
        assert one.record.package.task == other.record.package.task
        assert one.record.package.datasets == other.record.package.datasets
