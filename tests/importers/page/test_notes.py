from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page import markdown, notes
from modelshelf.package.catalogue import Found
from tests.corpora import corpus

CHANGELOG = """\
# Module acme/digits/3

## Overview

Version 3 is the best.

## Changelog

#### Version 1

  * Initial release.
  * Small.

#### Version 3 (May 2020)

*   Requires `digit-hub>=0.2.0`,
    see [issue](https://a.example).

## License

Free.
"""


def found(text: str) -> notes.Notes:
    return notes.read(markdown.read(text))


def test_a_changelog_has_a_text_for_each_version() -> None:
    result = found(CHANGELOG)
    assert result.versions == {
        "1": "* Initial release.\n* Small.",
        "3": "*   Requires `digit-hub>=0.2.0`,\n    see [issue](https://a.example).",
    }
    assert result.text.startswith("## Changelog\n\n#### Version 1\n\n* Initial")
    assert "License" not in result.text
    assert result.found == Found("text")


@pytest.mark.parametrize(
    ("version", "text"), [("1", "* Initial"), ("3.0.0", "*   Req"), ("v3", "*   Req"), ("2", None)]
)
def test_the_text_of_one_version(version: str, text: str | None) -> None:
    said = found(CHANGELOG).of(version)
    assert said is None if text is None else said is not None and said.startswith(text)


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("## Release notes\n\nv2 - updated the `size`.", {"2": "updated the `size`."}),
        ("## History\n\n* **1.2.0**: better\n  and smaller\n* v1.1 (2020): first", {"1.2.0": "better\nand smaller", "1.1": "first"}),
        ("## Change log\n\n### [1.2.0-rc1] 2020-01-01\n\nbetter", {"1.2.0-rc1": "better"}),
        ("## What's new\n\n- **2021-07-12** Better.", {}),
        ("## Version 2\n\nbetter", {"2": "better"}),
        ("## 3 ways to use it\n\none", {}),
        ("## Version control\n\nx", {}),
        ("## Changelog\n\n### Version 1\n\n### Version 2\n\nbetter", {"2": "better"}),
        ("Version 2 is better.", {}),
    ],
)  # fmt: skip
def test_ways_to_write_it(text: str, versions: dict[str, str]) -> None:
    assert found(text).versions == versions


def test_without_versions_the_text_remains() -> None:
    assert "**2021-07-12** Better." in found("## Changelog\n\n- **2021-07-12** Better.").text
    assert found("## Overview\n\ntext") == notes.Notes()


@given(st.text(alphabet="# Changelog\nversion 1.2v-*:", max_size=200))
def test_no_text_is_too_much(text: str) -> None:
    assert all(found(text).versions.values())


@pytest.mark.no_cover
def test_pages_of_a_hub() -> None:
    paths = sorted(corpus("tfhub-2024-03").rglob("*.md"))
    of = [found(path.read_text(encoding="utf-8")).of(path.stem) for path in paths]
    assert sum(each is not None for each in of) >= 800
