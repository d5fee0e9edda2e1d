"""Drawings of trade-offs: ticks, characters, SVG."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.cli.plot import Mark, Plot, axis, drawing
from modelshelf.cli.svg import svg

NUMBERS = st.floats(-1e99, 1e99) | st.integers(0, 1 << 40).map(float)
NAMES = st.sampled_from(("bytes", "macs", "top1"))
MARKS = (
    Mark(20 << 20, 0.8, "acme/large v (onnx)", 1),
    Mark(4 << 20, 0.7, "acme/<small> v (onnx)", 2),
    Mark(30 << 20, 0.75, "acme/worse\x07 v (onnx)"),
    Mark(900 << 20, 0.9, "acme/huge v (onnx)", fits=False),
)


def plot(marks: tuple[Mark, ...] = MARKS) -> Plot:
    x = axis("bytes", "minimize", [mark.x for mark in marks])
    y = axis("top1", "maximize", [mark.y for mark in marks])
    return Plot(x._replace(bound=float(64 << 20), asked="bytes<=64MiB"), y, marks)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("top1", [0.5, 0.8], ["0.5", "0.55", "0.6", "0.65", "0.7", "0.75", "0.8"]),
        ("top1", [0.7], ["0.64", "0.66", "0.68", "0.7", "0.72", "0.74", "0.76"]),
        ("bytes", [1 << 20, 256 << 20], ["1 MiB", "4 MiB", "16 MiB", "64 MiB", "256 MiB"]),
        ("bytes", [20 << 20, 26 << 20], ["20 MiB", "21 MiB", "22 MiB", "23 MiB", "24 MiB", "25 MiB", "26 MiB"]),
        ("macs", [3e6, 9e7], ["5 M", "10 M", "20 M", "50 M", "100 M"]),
        ("macs", [1e6, 1e9], ["1 M", "10 M", "100 M", "1 G"]),
        ("bytes", [5], ["5 B"]),
    ],
)  # fmt: skip
def test_ticks_are_round(name: str, values: list[float], expected: list[str]) -> None:
    along = axis(name, "minimize", values)
    assert [along.told(tick) for tick in along.ticks(7)] == expected


@given(NAMES, st.lists(NUMBERS, min_size=1, max_size=9))
def test_whatever_the_numbers_all_lie_on_the_axis(name: str, values: list[float]) -> None:
    along = axis(name, "maximize", values)
    assert all(-1e-9 <= along.place(value) <= 1 + 1e-9 for value in values)
    ticks = along.ticks()
    assert len(ticks) <= 8
    assert all(one < other for one, other in pairwise(ticks))
    marks = tuple(Mark(value, value, "m", 1) for value in values)
    assert drawing(Plot(along, along, marks))
    ET.fromstring(svg(Plot(along, along, marks), "t", "d"))


def test_the_best_are_drawn_by_their_number() -> None:
    lines = drawing(plot(), width=40, height=8).splitlines()
    body = "\n".join(lines[1:9])
    assert all(body.count(sign) >= 1 for sign in ("1", "2", ".", "x"))
    assert lines[0] == "top1 (more is better)"
    assert lines[-2].strip() == "bytes (less is better)"
    assert lines[-1] == "numbers: rows above, . dominated, x misses a condition"
    assert max(map(len, lines)) <= 60


def test_the_svg_tells_in_words_what_it_shows() -> None:
    text = svg(plot(), "digits: top1 & bytes", "4 candidates")
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = [root.find(f"{space}{tag}") for tag in ("title", "desc")]
    assert [each.get("id") for each in named if each is not None] == (
        root.get("aria-labelledby") or ""
    ).split()
    shown = [each.text for each in root.iter(f"{space}text")]
    for words in ("acme/<small> v (onnx)", "bytes<=64MiB", "bytes (less is better), logarithmic"):
        assert words in shown
    assert len(root.findall(f"{space}circle")) == len(MARKS)
    assert "\x07" not in text
    assert "<script" not in text


def test_labels_never_cover_each_other() -> None:
    marks = tuple(Mark(1000 + n, 0.5 + n / 1000, f"acme/model-{n} v (onnx)", n) for n in range(60))
    text = svg(plot(marks), "t", "d")
    assert 1 <= text.count(">acme/model-") - text.count("<title>acme/model-") < 40
