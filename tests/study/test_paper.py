"""The paper's figures agree with each other, and with what was recovered of them."""

from __future__ import annotations

import csv

import pytest

from modelshelf.package.elements import ELEMENTS
from modelshelf.package.vocabularies import vocabulary
from modelshelf.study import classes, paper, parts
from modelshelf.study.implications import GENERATIONS
from modelshelf.study.measures import MEASURES
from tests.corpora import CORPORA

HUBS = ("tfhub", "pytorchhub")


def test_table_2_is_the_recovered_matrix() -> None:
    file = CORPORA.parent / "reference" / "table2.csv"
    if not file.exists():
        pytest.skip("the reference does not lie beside the checkout (../shared/reference)")
    names = {each.name: each.id for each in ELEMENTS}
    rows = {row["element"]: row for row in paper.rows("table2")}
    with file.open(encoding="utf-8", newline="") as opened:
        for line in csv.DictReader(opened):
            row = rows[names[line["element"]]]
            told = [row[key] for key in ("npm", "pypi", "cran", *HUBS)]
            keys = ("npm", "pypi", "cran", "tfhub", "pytorch-hub")
            assert told == [line[key] == "1" for key in keys], line["element"]
            assert row.get("disputed", "") == line["disputed"].replace("-", "")


def test_table_2_gives_27_elements_of_which_16_are_common() -> None:
    rows = paper.rows("table2")
    assert [row["element"] for row in rows if row["element"] not in {e.id for e in ELEMENTS}] == []
    assert sum(row["tfhub"] or row["pytorchhub"] for row in rows) == 27
    assert sum(row["tfhub"] and row["pytorchhub"] for row in rows) == 16


@pytest.mark.parametrize(("hub", "packages"), [("tfhub", 383), ("pytorchhub", 26)])
def test_table_3_adds_up(hub: str, packages: int) -> None:
    rows = paper.rows("table3")
    assert sum(row[hub] for row in rows) == packages
    for row in rows:
        assert abs(100 * row[hub] / packages - row[f"{hub}_percent"]) < 0.06


@pytest.mark.parametrize(("hub", "families"), [("tfhub", 43), ("pytorchhub", 28)])
def test_table_4_adds_up_with_the_lost_row(hub: str, families: int) -> None:
    assert sum(row[hub]["families"] for row in paper.rows("table4")) == families
    lost = next(row for row in paper.rows("table4") if row["class"] == "Segmentation")
    assert lost["tfhub"] == {"families": 1, "median": 10}


def test_every_task_has_a_class_and_the_paper_s_are_reached() -> None:
    tasks = vocabulary("tasks")
    unclassed = [task for task in tasks if classes.of(task).name == task and task != "other"]
    assert unclassed == []
    reached = {classes.of(task) for task in tasks}
    assert {classes.of_row(row) for row in paper.rows("table3")} <= reached
    assert classes.of(None) == classes.of("") == classes.UNKNOWN
    assert classes.of("something-new").name == "something-new"


def test_formats_and_contexts_are_words_of_ours() -> None:
    assert {row["format"] for row in paper.rows("table8")} <= set(vocabulary("formats"))
    assert [row["context"] for row in paper.rows("table7")] == list(vocabulary("contexts"))


def test_implications_ask_for_measures_that_exist() -> None:
    asked = {name for row in paper.rows("implications") for name in row["measures"]}
    assert asked <= {*MEASURES, GENERATIONS}
    said = {each.said for each in MEASURES.values() if each.said}
    assert said <= {row["id"] for row in paper.rows("text")}


def test_known_differences_name_parts_and_hubs() -> None:
    for each in paper.rows("differences"):
        assert each["part"] in parts()
        assert each["hub"] in HUBS
        assert each["why"].endswith(".")
