"""What differs from the paper is explained, or open."""

from __future__ import annotations

import msgspec
import pytest

from modelshelf.study import paper
from modelshelf.study.answer import EITHER, Cell, Column, Table, pair
from modelshelf.study.differences import agree, differences
from modelshelf.study.survey import Measured

SAME = Measured("2020", "tfhub", 383, 741)
LATER = Measured("2024", "tfhub", 1160, 1815)
COLUMNS = (Column("name", "name"), *pair("2020", "n", "packages", "count", paper=True))


def table(ours: Cell, theirs: Cell) -> Table:
    return Table.of("t", "t", COLUMNS, [{"name": "row", "2020:n": ours, "2020:n:paper": theirs}])


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [(1, 1, True), (1, 2, False), (None, 2, False), (1, None, True), (True, EITHER, True),
     (True, False, False), (1.0, 1, True)],
)  # fmt: skip
def test_a_figure_is_the_paper_s(ours: Cell, theirs: Cell, same: bool) -> None:
    assert (differences("table1", [table(ours, theirs)], [SAME]) == ()) is same


@pytest.mark.parametrize(("ours", "same"), [(24.54, True), (24.45, True), (24.4, False)])
def test_what_the_paper_rounds_may_be_as_near_as_that(ours: float, same: bool) -> None:
    assert agree(Column("x", "x", "", "share", "y"), ours, 24.5) is same


def test_of_the_same_snapshot_it_is_open_of_another_explained() -> None:
    (found,) = differences("nothing", [table(1, 2)], [SAME])
    assert (found.row, found.column, found.why) == ("row", "packages", None)
    (later,) = differences("nothing", [table(1, 2)], [LATER._replace(label="2020")])
    assert str(later.why).startswith("another snapshot than the paper's of 2020-03")


def test_a_row_can_be_a_catalogue() -> None:
    columns = (
        Column("of", "catalogue"),
        Column("n", "n", "", "count"),
        Column("n:paper", "paper", "", "count", "n"),
    )
    made = Table.of("t", "t", columns, [{"of": "2020", "n": 1, "n:paper": 2}])
    (found,) = differences("nothing", [made], [SAME])
    assert found.catalogue == "2020"


def test_a_known_difference_has_its_reason() -> None:
    known = paper.rows("differences")[0]
    columns = (
        Column("name", "name"),
        *pair("x", "n", known.get("column", "packages"), "count", paper=True),
    )
    made = Table.of(known.get("table", "t"), "t", columns,
                    [{"name": known.get("row", "row"), "x:n": 1, "x:n:paper": 2}])  # fmt: skip
    told = paper.figures("hubs")[known["hub"]]
    here = Measured("x", known["hub"], told["packages"], told["versions"])
    (found,) = differences(known["part"], [made], [here])
    assert found.why == known["why"]


def test_which_snapshot_it_is_follows_from_its_size() -> None:
    assert SAME.same
    assert not LATER.same
    assert not Measured("x", "registry", 383, 741).known
    assert SAME.name == "TFHub"
    assert msgspec.json.encode(SAME)
