"""TFHub's importer on the hub's own pages, where they lie beside the checkout."""

from __future__ import annotations

from collections import Counter

import pytest

from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue
from modelshelf.package.manifest import problems
from tests.corpora import archive, catalogue_of


@pytest.fixture(scope="module")
def early() -> Catalogue:
    return catalogue_of("tfhub-2020-03-docs")


@pytest.fixture(scope="module")
def late() -> Catalogue:
    return read(f"tfhub:{archive('tfhub-2024-03')}")


def test_the_catalogue_of_2020(early: Catalogue) -> None:
    assert len({each.record.package.name for each in early.releases}) == 383
    assert len(early.releases) == len(early.pages) == 741
    assert {page.outcome for page in early.pages} == {"imported"}


def test_the_catalogue_of_2024(late: Catalogue) -> None:
    modules = {page.handle for page in late.pages if page.kind == "Module"}
    assert len(modules) == 1815
    assert len({handle.rpartition("/")[0] for handle in modules}) == 1160
    assert modules <= {each.handle for each in late.releases}


def test_every_page_is_accounted_for(late: Catalogue) -> None:
    assert Counter(page.kind for page in late.pages) == {
        "Module": 1815,
        "Placeholder": 182,
        "Lite": 372,
        "Tfjs": 358,
        "Coral": 3,
        "Collection": 50,
        "Publisher": 39,
        "": 1,
    }


def test_deployments_and_placeholders_of_2024(late: Catalogue) -> None:
    assert Counter(
        page.outcome for page in late.pages if page.kind in ("Lite", "Tfjs", "Coral")
    ) == {"merged": 733}
    assert len({each.record.package.name for each in late.releases}) == 1332
    assert len(late.releases) == 1997


def test_files_gone_in_2024(late: Catalogue) -> None:
    gone = {each.handle.rpartition("/")[0] for each in late.releases if each.gone}
    assert len(gone) == 16


def test_people_and_organizations_of_2024(late: Catalogue) -> None:
    kinds = Counter(each.kind for each in late.publishers)
    assert kinds == {"person": 17, "organization": 22}
    assert sum(each.unsure for each in late.publishers) <= 2


def test_collections_of_2024_have_members(late: Catalogue) -> None:
    assert len(late.collections) == 50
    assert min(len(each.members) for each in late.collections) >= 2


def test_records_of_both_follow_the_rules(early: Catalogue, late: Catalogue) -> None:
    wrong = {
        each.handle: [f"{found.element}: {found.message}" for found in told]
        for each in (*early.releases, *late.releases)
        if (told := problems(each.record, described=True))
    }
    assert wrong == {}


def test_as_many_packages_of_2020_state_their_quality_as_the_paper_counted(
    early: Catalogue,
) -> None:
    latest = {each.record.package.name: each.record for each in early.releases}
    stating = [name for name, record in latest.items() if record.variants[0].metrics]
    assert abs(len(stating) - 35) <= 3
