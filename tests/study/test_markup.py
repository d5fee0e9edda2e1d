"""What is not markup is text, whatever stands in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from modelshelf.study.drawing import cut, drawing, label
from modelshelf.study.markup import Markup, joined, tag

HOSTILE = "<script>alert('1')</script> & \"\x00\x1b[31m\ud800\u0085"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (tag("p", "a < b & c"), "<p>a &lt; b &amp; c</p>"),
        (tag("p", Markup("<b>x</b>"), None, ["y", 3]), "<p><b>x</b>y3</p>"),
        (tag("td"), "<td></td>"),
        (tag("rect", x=1.50, y=2.0, stroke_width=3), '<rect x="1.5" y="2" stroke-width="3"/>'),
        (tag("p", class_='a" b'), '<p class="a&quot; b"></p>'),
        (tag("meta", name="x", content=None), '<meta name="x"/>'),
        (joined(None), ""),
    ],
)  # fmt: skip
def test_elements(made: Markup, text: str) -> None:
    assert made == text


def test_nothing_foreign_gets_out_of_its_element() -> None:
    made = tag("p", HOSTILE, title=HOSTILE)
    (element,) = [ET.fromstring(made)]
    assert element.text == element.get("title")
    assert "<script>" in str(element.text)
    HTMLParser().feed(made)


def test_a_drawing_stands_alone_and_has_a_name() -> None:
    made = drawing("d", HOSTILE, HOSTILE, (10, 20), [label(1, 2, HOSTILE)])
    root = ET.fromstring(made.svg)
    assert root.get("role") == "img"
    ids = {each.get("id") for each in root}
    assert set(str(root.get("aria-labelledby")).split()) <= ids
    assert "script" not in {each.tag.rpartition("}")[2] for each in root.iter()}


def test_words_are_cut_where_there_is_no_room() -> None:
    assert cut("abcdefghij", 32) == "abcd…"
    assert cut("abc", 32) == "abc"
