"""TFHub's importer on the hub's own pages, where they lie beside the checkout."""

from __future__ import annotations

from collections import Counter

import pytest

from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue
from tests.corpora import archive, corpus


@pytest.fixture(scope="module")
def early() -> Catalogue:
    return read(f"tfhub:{corpus('tfhub-2020-03-docs')}")


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
