"""An answer as text, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest

from modelshelf.study import render
from modelshelf.study.answer import Answer, Cell, Column, Difference, Kind, Table, pair, slug

COLUMNS = (
    Column("name", "name"),
    *pair("2020", "count", "packages", "count", paper=True),
    Column("share", "share", "", "share"),
    Column("there", "there", "", "mark"),
)
ROWS: list[dict[str, Cell]] = [
    {"name": "a | b", "2020:count": 1234, "2020:count:paper": 5, "share": 12.34, "there": True},
    {"name": 'c "d",\ne', "2020:count": 7, "there": False},
]


def answer(*differences: Difference) -> Answer:
    table = Table.of("t", "Things", COLUMNS, ROWS, ["A note."])
    return Answer("part", "Table 9: things", "9.9", (table,), (), ("Another.",), differences)


def difference(why: str | None, row: str = "a") -> Difference:
    return Difference("part", "t", "2020", row, "packages", 1234, 5, why)


@pytest.mark.parametrize(
    ("kind", "cell", "text"),
    [
        ("count", 1234567, "1,234,567"), ("count", None, "-"), ("text", None, ""),
        ("share", 12.34, "12.3 %"), ("number", 2.5, "2.5"), ("number", 3.0, "3"),
        ("mark", True, "yes"), ("mark", False, "no"), ("mark", "either", "either"),
        ("text", " a\n\tb ", "a b"),
    ],
)  # fmt: skip
def test_cells(kind: Kind, cell: Cell, text: str) -> None:
    assert render.shown(kind, cell) == text


def test_text_is_aligned_under_its_catalogue() -> None:
    lines = render.text(answer()).splitlines()
    assert lines[0] == "Table 9: things (paper, 9.9)"
    assert lines[2:6] == [
        "          ───── 2020 ────",
        "name      packages  paper   share  there",
        "a | b        1,234      5  12.3 %  yes",
        'c "d", e         7      -       -  no',
    ]
    assert lines[-3:] == ["A note.", "", "Another."]


def test_narrow_terminals_break_words_not_numbers() -> None:
    table = Table.of("t", "t", [Column("a", "a"), Column("b", "b", "", "count")],
                     [{"a": "word " * 20, "b": 123456}])  # fmt: skip
    lines = list(render.aligned(table, width=40))
    assert max(map(len, lines)) <= 40
    assert sum("123,456" in line for line in lines) == 1


def test_open_differences_come_first_and_explained_ones_are_few() -> None:
    known = [difference("time went by", str(number)) for number in range(9)]
    text = render.text(answer(*known, difference(None)))
    assert "Differences from the paper: 10, of which 1 open" in text
    assert text.index("open:\n  2020, a, packages: 1,234, in the paper 5") < text.index("time went")
    assert "  … and 6 more" in text


def test_long_tables_are_cut_for_people_only() -> None:
    rows: list[dict[str, Cell]] = [{"name": str(number)} for number in range(150)]
    table = Table.of("t", "t", [Column("name", "name")], rows)
    long = answer()._replace(tables=(table,))
    assert "… and 50 more rows" in render.text(long)
    assert "… and 50 more rows" in render.markdown(long)
    assert render.comma_separated(table).count("\r\n") == 151


def test_markdown_is_aligned_and_escaped() -> None:
    lines = render.markdown(answer(difference(None)), level=2).splitlines()
    assert lines[0] == "## Table 9: things (paper, 9.9)"
    assert lines[2:5] == [
        "| name     | 2020 packages | 2020 paper |  share | there |",
        "| -------- | ------------: | ---------: | -----: | ----- |",
        "| a \\| b   |         1,234 |          5 | 12.3 % | yes   |",
    ]
    assert "* open\n  * 2020, a, packages: 1,234, in the paper 5" in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>", "\\<b\\>"),
        ("a_b", "a_b"),
        ("_a_", "\\_a\\_"),
        ("[x](y)", "\\[x\\](y)"),
        ("`", "\\`"),
    ],
)
def test_foreign_words_are_no_markdown(text: str, escaped: str) -> None:
    table = Table.of("t", "t", [Column("a", "a")], [{"a": text}])
    assert f"| {escaped}" in render.markdown(answer()._replace(tables=(table,)))


def test_csv_follows_rfc_4180() -> None:
    text = render.comma_separated(answer().tables[0])
    assert text.endswith("\r\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["name", "2020 packages", "2020 packages paper", "share", "there"],
        ["a | b", "1234", "5", "12.34", "yes"],
        ['c "d",\ne', "7", "", "", "no"],
    ]


@pytest.mark.parametrize("words", ["=cmd()", "+1", "-x", "@y", "\tz"])
def test_words_in_csv_are_no_formulas(words: str) -> None:
    table = answer().tables[0]
    (row, *_) = table.rows
    text = render.comma_separated(table._replace(rows=((words, *row[1:]),)))
    assert next(csv.reader([text.splitlines()[1]]))[0] == f"'{words}"


def test_json_has_numbers_as_numbers_and_rows_by_id() -> None:
    document = json.loads(json.dumps(render.document(answer(difference("x")))))
    assert document["tables"][0]["rows"][0]["2020:count"] == 1234
    assert document["tables"][0]["columns"][2]["beside"] == "2020:count"
    assert document["differences"][0]["why"] == "x"


def test_slugs() -> None:
    assert slug("tfhub:/a b/ü") == "tfhub-a-b-ü"
    assert slug("///") == "x"
