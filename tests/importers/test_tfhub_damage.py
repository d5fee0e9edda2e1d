"""Damaged pages: none raises, each is accounted for, and what becomes of them follows the rules."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.importers import read
from modelshelf.package.catalogue import Catalogue
from modelshelf.package.manifest import problems
from tests.importers.sheets import sheet_text

TEXT = """\
It was trained on digits for 30 epochs, and released under the MIT License.
See [the paper](https://arxiv.org/abs/1234.56789) and `tensorflow>=2.0`.

| model | accuracy | top-5 |
|-------|---------:|:-----:|
| small | 97.5 %   | 99.1  |

## Usage
```python
model = hub.load("https://tfhub.dev/acme/digits/1")
outputs = model.signatures["default"](tf.zeros([1, 28, 28, 1]))  # float32[1, 10]
```
Using it requires TensorFlow 2 (or 1.15) and TensorFlow Hub 0.5.0 or newer.

## Changelog
#### Version 1
 * Initial release.
"""
PAGES = [
    sheet_text("acme/digits/1", "task: image-classification", "dataset: a, b", "format: hub", text=TEXT),
    sheet_text("acme/digits/2", "task: image-classification", "license: custom", text=TEXT),
    sheet_text("acme/pose/1", "language: en", kind="Placeholder", text=TEXT),
    sheet_text("acme/pose/int8/1", "parent-model: acme/pose/1", kind="Lite", text=TEXT),
    sheet_text("acme/all/1", kind="Collection", text="https://tfhub.dev/acme/digits/1"),
    sheet_text("acme", kind="Publisher", text="We are [Acme](https://acme.example)."),
    "# Moved\nThese were deleted:\n\n- [acme/digits](https://acme.example)\n",
]  # fmt: skip

junk = st.binary(max_size=40) | st.sampled_from(
    [b"```\n", b"<!-- task: ", b"-->", b"# Module ", b"\r\n", b"|||", b"&zwnj;", b"[](", b"\xff\x00", b"<table>"]
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One of the pages, cut, with lines twice or out of order, and junk in it."""
    lines = draw(st.sampled_from(PAGES)).encode().splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines)))
        lines[at:at] = draw(st.sampled_from([[draw(junk)], lines[:3], lines[-2:], lines[::-1]]))[
            :40
        ]
    page = b"".join(lines)
    start, end = sorted((draw(st.integers(0, len(page))), draw(st.integers(0, len(page)))))
    return page[start:end] if draw(st.booleans()) else page


def require_sound(catalogue: Catalogue, count: int) -> None:
    """Every page accounted for once, every record by the rules, all of it storable."""
    assert len({page.path for page in catalogue.pages}) == len(catalogue.pages) == count
    assert all(page.reason for page in catalogue.pages if page.outcome == "skipped")
    imported = {page.path for page in catalogue.pages if page.outcome == "imported"}
    assert {each.page for each in catalogue.releases} <= imported
    named = Counter((r.record.package.name, r.record.package.version) for r in catalogue.releases)
    assert set(named.values()) <= {1}
    handles = {each.handle for each in catalogue.releases}
    assert {page.into for page in catalogue.pages if page.into} <= handles
    assert [problems(each.record, described=True) for each in catalogue.releases] == [
        [] for _ in catalogue.releases
    ]
    assert msgspec.json.decode(msgspec.json.encode(catalogue), type=Catalogue) == catalogue


def read_pages(pages: list[bytes]) -> Catalogue:
    """The catalogue of pages by number."""
    with tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(pages):
            Path(folder, f"{number:02}.md").write_bytes(page)
        return read(f"tfhub:{folder}")


def test_whole_pages_are_sound() -> None:
    catalogue = read_pages([page.encode() for page in PAGES])
    require_sound(catalogue, len(PAGES))
    assert [page.outcome for page in catalogue.pages].count("skipped") == 0


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(st.lists(damaged(), min_size=1, max_size=7))
def test_damaged_pages_are_accounted_for(pages: list[bytes]) -> None:
    require_sound(read_pages(pages), len(pages))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300).map(lambda rest: b"# Module acme/digits/1\n" + rest))
def test_garbage_below_a_first_line(page: bytes) -> None:
    require_sound(read_pages([page]), 1)
