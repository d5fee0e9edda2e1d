from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page.front_matter import items, split

PAGE = """\
---
layout: detail
title: "Digits: small"
tags: [vision, 'scriptable', ]
author: \u201cAcme Vision\u201d\x20
# a remark
<!-- another -->
summary: Tells digits
  apart.
tags:
  - vision
  - ocr
category:
---

# Digits
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_keys_and_values(end: str) -> None:
    front = split(PAGE.replace("\n", end))
    assert front.labels == {
        "layout": ("detail",),
        "title": ("Digits: small",),
        "tags": ("vision", "scriptable", "ocr"),
        "author": ("Acme Vision",),
        "summary": ("Tells digits apart.",),
    }
    assert front.broken == ""
    assert front.first("title") == "Digits: small"
    assert front.first("absent") == ""


def test_lines_stay_where_they_are() -> None:
    assert split(PAGE).body.split("\n").index("# Digits") == PAGE.split("\n").index("# Digits")


@pytest.mark.parametrize(
    ("page", "labels", "broken"),
    [
        ("# Digits\n", {}, "no front matter"),
        ("", {}, "no front matter"),
        ("---\ntitle: A\n\n# Digits\n", {"title": ("A",)}, "no --- at its end"),
        ("---\ntitle: A\nauthor: B\nSome text.\n", {"title": ("A",), "author": ("B",)}, "no --- at its end"),
        ("title: A\nauthor: B\n---\ntext\n", {"title": ("A",), "author": ("B",)}, "no --- at its beginning"),
        ("Note: this is a heading\n---\ntext\n", {}, "no front matter"),
        ("\ufeff\n---\ntitle: A\n...\ntext", {"title": ("A",)}, ""),
        ("---\n---\ntext", {}, ""),
        ("---\ntitle:A\n---\n", {}, "no front matter"),
    ],
)  # fmt: skip
def test_broken_ones(page: str, labels: dict[str, tuple[str, ...]], broken: str) -> None:
    front = split(page)
    assert (front.labels, front.broken) == (labels, broken)


def test_items_of_a_list() -> None:
    assert items(("vision, audio", "audio", "[a]")) == ("vision", "audio", "a")


@given(st.text("-:[],'\" \n#ab\u201c", max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert len(split(text).body.split("\n")) == len(text.split("\n"))
