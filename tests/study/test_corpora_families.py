"""Families of the two hubs, beside what the paper found (its section 5.2)."""

from __future__ import annotations

from statistics import median

import pytest

from modelshelf.study.families import Family, families
from modelshelf.study.generations import generations
from modelshelf.study.models import of_catalogue
from modelshelf.study.similar import Counted, similar
from tests.corpora import catalogue_of

TFHUB, PYTORCH = "tfhub-2020-03-docs", "pytorchhub-2020-03"


def counted(name: str) -> Counted:
    models = tuple(of_catalogue(catalogue_of(name)))
    return Counted(families(models), models)


@pytest.fixture(scope="module")
def tfhub() -> Counted:
    return counted(TFHUB)


@pytest.fixture(scope="module")
def pytorch() -> Counted:
    return counted(PYTORCH)


def several(catalogue: Counted) -> list[Family]:
    return [family for family in catalogue.families if len(family.members) > 1]


def test_tfhub_has_about_43_families_of_several(tfhub: Counted) -> None:
    assert len(tfhub.models) == 383
    found = several(tfhub)
    assert abs(len(found) - 43) <= 4
    # the paper's text: the largest two have 32 and 23 members among models that classify images
    classifying = [len(each.members) for each in found if each.task == "image-classification"]
    assert sorted(classifying, reverse=True) == [32, 23, 13, 4, 3, 2, 2]
    assert median(classifying) == 4  # Table 4


def test_generations_that_the_paper_names(tfhub: Counted) -> None:
    counts = sorted(
        [len(step.family.members) for step in line.steps]
        for line in generations(tfhub.families)
        if line.task == "image-classification"
    )
    assert counts == [[1, 1, 2], [4, 3], [32, 23]]


def test_what_both_hubs_have_is_table_5(tfhub: Counted, pytorch: Counted) -> None:
    found = similar({"tfhub": tfhub, "pytorch": pytorch})
    counts = sorted(
        (len(each.families["tfhub"].members), len(each.families["pytorch"].members))
        for each in found
        if each.task == "image-classification"
    )
    assert counts == [(1, 1), (2, 1), (4, 5), (23, 1)]


def test_the_named_models_of_pytorch_hub(pytorch: Counted) -> None:
    # 28 families of 132 models in the paper, of which the pages of that time name only 73
    classifying = sorted(
        len(each.members) for each in several(pytorch) if each.task == "image-classification"
    )
    assert classifying == [2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 5, 8]
    assert median(classifying) == 4  # Table 4
