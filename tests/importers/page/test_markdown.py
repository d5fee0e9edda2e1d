from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page.inline import code_spans, links, plain, sentences
from modelshelf.importers.page.markdown import Code, Comment, Paragraph, Table, read
from tests.corpora import corpus

PAGE = """\
# Module acme/digits/1
Tells handwritten digits
apart.

<!-- task: digits -->
<!-- two
lines -->

## Overview

*   first point
    goes on
*   second

    ```python
    model = load("acme/digits/1")
      indented
    ```

### Deeper ###
Model | Error
----- | :---:
small | 0.02
large | 0.01

## Last

> quoted
> text

    code by indentation

[home]: https://acme.example/digits
"""


def test_a_page_is_sections_with_their_blocks() -> None:
    page = read(PAGE)
    assert [(s.title, s.level, s.line, s.path) for s in page.sections] == [
        ("Module acme/digits/1", 1, 1, ()),
        ("Overview", 2, 9, ("Module acme/digits/1",)),
        ("Deeper", 3, 20, ("Module acme/digits/1", "Overview")),
        ("Last", 2, 26, ("Module acme/digits/1",)),
    ]
    assert page.blocks == (
        Paragraph("Tells handwritten digits\napart.", 2),
        Comment("task: digits", 5),
        Comment("two\nlines", 6),
        Paragraph("first point\ngoes on", 11, item=True),
        Paragraph("second", 13, item=True),
        Code('model = load("acme/digits/1")\n  indented', 15, "python"),
        Table(("Model", "Error"), (("small", "0.02"), ("large", "0.01")), 21),
        Paragraph("quoted\ntext", 28),
        Code("code by indentation", 31),
    )
    assert page.references == {"home": "https://acme.example/digits"}
    assert [s.title for s in page.below(page.sections[1])] == ["Overview", "Deeper"]


def test_line_ends_do_not_matter() -> None:
    assert read(PAGE.replace("\n", "\r\n")).sections == read(PAGE).sections


def test_front_matter_is_kept_apart() -> None:
    page = read("---\ntitle: Digits\n---\n\ntext\n---\n\nmore")
    assert page.front == "title: Digits"
    assert [(s.title, s.line) for s in page.sections] == [("text", 5)]


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ("| a | b |\n|---|:--|\n| 1 | 2 |\n", ("a", "b"), (("1", "2"),)),
        ("a|b\n-|-\n1|2\ntext", ("a", "b"), (("1", "2"),)),
        ("- in a list\n\n    a | b\n    :- | -:\n    1 |\n", ("a", "b"), (("1",),)),
        ("said before\na|b\n-|-|-\n1\\|2|3", ("a", "b"), (("1|2", "3"),)),
        (
            "<table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td><b>2</b></td></tr>\n</table>",
            ("a", "b"),
            (("1", "2"),),
        ),
    ],
)
def test_tables(text: str, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> None:
    (table,) = read(text).tables
    assert (table.header, table.rows) == (header, rows)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Digits\n======\ntext", ["Digits"]),
        ("Digits\n------\ntext", ["Digits"]),
        ("####References\n", ["References"]),
        ("# C#\n", ["C#"]),
        ("#1 of all\n", [""]),
        ("- point\n-----\n", [""]),
        ("```\n# no heading\n```", [""]),
    ],
)
def test_headings(text: str, titles: list[str]) -> None:
    assert [section.title for section in read(text).sections] == titles


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('see [the paper](https://a.example/p "title").', [("the paper", "https://a.example/p")]),
        ("[![Open](i.svg)](https://a.example)", [("Open", "i.svg"), ("Open", "https://a.example")]),
        ("[![Open notebook]](https://a.example)", [("Open notebook", "https://a.example")]),
        ("[the `x` model](https://a.example/a_(b))", [("the x model", "https://a.example/a_(b)")]),
        ("[apart]\n(https://a.example)", [("apart", "https://a.example")]),
        ("[1] Ann (see below), f[x](y)", []),
        ("[mine][2] or [2]", [("mine", "https://two.example"), ("2", "https://two.example")]),
        ("(at https://a.example/b_(c)).", [("", "https://a.example/b_(c)")]),
        ("<https://a.example>, `https://b.example`", [("", "https://a.example"), ("", "https://b.example")]),
        ('<a class="x" href="https://a.example?a=1&amp;b=2">here</a>', [("here", "https://a.example?a=1&b=2")]),
        ("mail mailto:a@b.example", [("", "mailto:a@b.example")]),
    ],
)  # fmt: skip
def test_links(text: str, found: list[tuple[str, str]]) -> None:
    assert [(each.text, each.url) for each in links(text, 1, {"2": "https://two.example"})] == found


def test_links_know_their_line() -> None:
    page = read("# [a](/a)\n\ntext\n[b](/b) and\n[c](/c)\n\nx|y\n-|-\n[d](/d)|\n[e](/e)|\n")
    assert [(each.text, each.line) for each in page.links] == [
        ("a", 1), ("b", 4), ("c", 5), ("d", 9), ("e", 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("**bold** and *it* and __x__ and `code_with_lines`", "bold and it and x and code_with_lines"),
        ("snake_case, 5*3, 2 * 4", "snake_case, 5*3, 2 * 4"),
        ("a &lt; b, a&zwnj;b, [x](/y), [z][1]<br/>new\nline", "a < b, ab, x, z new line"),
        ("escaped \\_name\\_, <unk>", "escaped _name_, <unk>"),
    ],
)  # fmt: skip
def test_text_without_marks(text: str, read_as: str) -> None:
    assert plain(text) == read_as


def test_sentences_and_code() -> None:
    said = "It is 76.2% right, e.g. on `A.B`. So\nit is. Really? yes"
    assert sentences(said) == ["It is 76.2% right, e.g. on A.B.", "So it is.", "Really? yes"]
    assert code_spans("`a` and ``b `` and ```c``") == ["a", "b"]


@given(st.text(alphabet="ab1 \n\t|-:`~#<>![]()*_.=\\&;\r\0é", max_size=200))
def test_any_text_is_a_page(text: str) -> None:
    page = read(text)
    lines = page.text.count("\n") + 1
    assert all(1 <= block.line <= lines for block in page.blocks)
    assert all(1 <= link.line <= lines for link in page.links)
    assert page.text == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    "name", ["tfhub-2020-03-docs", "tfhub-2024-03", "pytorchhub-2020-03", "pytorchhub-2024-04"]
)
def test_it_finds_the_blocks_that_a_whole_reader_of_markdown_finds(name: str) -> None:
    whole = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    whole.disable("inline")
    for path in sorted(corpus(name).rglob("*.md"))[::7]:
        text = path.read_text(encoding="utf-8")
        tokens = whole.parse(text)
        page = read(text)
        levels = [int(each.tag[1]) for each in tokens if each.type == "heading_open"]
        front = 1 if page.front else 0
        assert [each.level for each in page.sections if each.level] == levels[front:], path
        fences = [each.content.strip() for each in tokens if each.type == "fence"]
        assert set(fences) <= {each.text.strip() for each in page.code}, path
        tables = sum(each.type == "table_open" for each in tokens)
        assert len(page.tables) - tables - text.count("<table") in (0, 1), path
