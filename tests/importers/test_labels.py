"""The head of a page: kind, handle, summary, labels that repeat or hold lists."""

from __future__ import annotations

import pytest

from modelshelf.importers.page.labels import Sheet, handle, one_line, sheet, values

PAGE = """\
# Module acme/digits/1

Classifies handwritten
digits.

[![Open](https://example.org/badge.svg)]

<!-- task: image-classification -->
<!-- dataset: UCI, own -->
<!-- dataset: Street numbers -->
<!-- dataset: UCI, own -->
<!-- format:hub-->
<!--- TODO(b/1): nothing --->

## Overview

<!-- colab: https://example.org/demo.ipynb -->
```
<!-- language: code -->
```
"""


def test_a_sheet_in_its_parts() -> None:
    read = sheet(PAGE)
    assert isinstance(read, Sheet)
    assert (read.kind, read.handle) == ("Module", "acme/digits/1")
    assert read.summary == "Classifies handwritten\ndigits."
    assert read.labels == {
        "task": ("image-classification",),
        "dataset": ("UCI, own", "Street numbers"),
        "format": ("hub",),
        "colab": ("https://example.org/demo.ipynb",),
    }
    assert read.text.split("\n")[0].startswith("[![Open]")
    assert "## Overview" in read.text
    assert "task:" not in read.text


@pytest.mark.parametrize(
    "first", ["", "Module a/b/1", "#Module a/b/1", "# Module", "# module a/b", "# A b c"]
)
def test_no_sheet(first: str) -> None:
    assert sheet(f"{first}\ntext") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("acme/&zwnj;digits/&zwnj;small/1", "acme/digits/small/1"),
        ("acme/models/digits/1", "acme/digits/1"),
        ("acme/models", "acme/models"),
        ("acme\u200b/digits/1/", "acme/digits/1"),
        ("acme/zoo/models/1", "acme/zoo/models/1"),
    ],
)
def test_a_handle_as_it_was_meant(written: str, meant: str) -> None:
    assert handle(written) == meant


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (("Letters, Words, Web Crawl",), ("Letters", "Words", "Web Crawl")),
        (("Net-A (N=18, F=448)",), ("Net-A (N=18, F=448)",)),
        (("en", "de", "en, fr"), ("en", "de", "fr")),
        (("a), b",), ("a)", "b")),
        (("Letters and Words",), ("Letters and Words",)),
        ((",",), ()),
    ],
)
def test_lists_and_what_only_looks_like_one(
    written: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    assert values(written) == parts


def test_a_summary_is_one_short_line() -> None:
    assert one_line("See [digits](https://example.org)\nhere.") == ("See digits here.", False)
    for words in (
        "word " * 100,
        "x" * 500,
        "One sentence that is long enough to stand alone here. " * 9,
    ):
        line, cut = one_line(words)
        assert cut
        assert 20 < len(line) <= 200
