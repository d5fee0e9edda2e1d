"""The study of the hubs' own pages, beside the paper: what it must give, and what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from modelshelf.package.catalogue import Catalogue
from modelshelf.study import answer, answers, paper, render, report
from modelshelf.study.answer import Difference
from modelshelf.study.survey import Survey
from tests.corpora import catalogue_of

TFHUB, PYTORCH = "tfhub-2020-03-docs", "pytorchhub-2020-03"
LATER = "pytorchhub-2024-04"

Rows = list[dict[str, Any]]


@cache
def catalogue(name: str) -> Catalogue:
    found = catalogue_of(name)
    return msgspec.structs.replace(found, specification=name)


@pytest.fixture(scope="module")
def then() -> Iterator[Survey]:
    """Both hubs as the paper saw them."""
    with Survey([catalogue(TFHUB), catalogue(PYTORCH)], offers=("install",)) as made:
        yield made


def rows(survey: Survey, part: str, table: str) -> Rows:
    tables: Any = render.document(answer(part, survey))["tables"]
    found: Rows = next(each["rows"] for each in tables if each["id"] == table)
    return found


def still_open(found: tuple[Difference, ...], table: str) -> list[str]:
    """What differs in one table without a known reason, in words."""
    return [render.told(each) for each in found if each.table == table and each.why is None]


def test_both_are_the_paper_s_snapshots(then: Survey) -> None:
    assert [(each.packages, each.versions) for each in then.measured] == [(383, 741), (26, 26)]
    assert all(each.same for each in then.measured)


def test_table_3_is_exact_in_all_rows(then: Survey) -> None:
    found = answer("table3", then)
    assert [each for each in found.differences if each.table == "packages"] == []
    assert len(found.tables[0].rows) == len(paper.rows("table3"))  # and nothing else


def test_table_2_agrees_but_for_what_is_disputed(then: Survey) -> None:
    assert still_open(answer("table2", then).differences, "elements") == []
    sums = {row["what"]: row["ours"] for row in rows(then, "table2", "sums")}
    assert abs(sums["in any of them"] - 27) <= 1
    assert abs(sums["in all of them"] - 16) <= 1


def test_table_5_is_exact(then: Survey) -> None:
    found = rows(then, "table5", "similar")
    classifying = [row for row in found if row["class"] == "Classification"]
    counts = sorted((row[f"{TFHUB}:models"], row[f"{PYTORCH}:models"]) for row in classifying)
    assert counts == [(1, 1), (2, 1), (4, 5), (23, 1)]


def test_families_are_about_as_many(then: Survey) -> None:
    whole = {row["what"]: row for row in rows(then, "table4", "whole")}
    assert abs(whole["families"][f"{TFHUB}:value"] - 43) <= 4
    assert whole["members of the largest"][f"{TFHUB}:value"] == 32
    segmentation = next(
        row for row in rows(then, "table4", "classes") if row["class"] == "Segmentation"
    )
    assert segmentation[f"{TFHUB}:families"] == 1
    assert segmentation[f"{TFHUB}:median"] == 10  # the lost row


def test_figures_of_the_text(then: Survey) -> None:
    found = {row["what"]: row for row in rows(then, "elements", "text")}
    quality = found["packages with a quality evaluation"]
    assert abs(quality[f"{TFHUB}:value"] - 35) <= 3
    assert quality[f"{PYTORCH}:value"] == 17
    assert found["packages with a list of their entrypoints"][f"{PYTORCH}:value"] == 10
    assert found["packages whose entrypoints build several models"][f"{PYTORCH}:value"] == 15
    assert found["packages published by individuals"][f"{PYTORCH}:value"] == 3


def test_every_page_is_accounted_for(then: Survey) -> None:
    counted = rows(then, "table1", "pages")
    for name in (TFHUB, PYTORCH):
        total = sum(row["pages"] for row in counted if row["catalogue"] == name)
        assert total == len(catalogue(name).pages)
        unexplained = [r for r in counted if r["outcome"] == "skipped" and not r["reason"]]
        assert unexplained == []


def test_snapshots_of_two_hubs_make_one_report() -> None:
    with Survey([catalogue(name) for name in (TFHUB, PYTORCH, LATER)]) as survey:
        found = answers(survey)
        page, text = report.html(found, survey), report.markdown(found, survey)
    assert {"table5", "over-time"} <= {each.name for each in found}
    later = {each.why for a in found for each in a.differences if each.catalogue == LATER}
    assert all(str(why).startswith("another snapshot") for why in later)
    assert len(page) < 1 << 20
    assert len(text) < 1 << 20
