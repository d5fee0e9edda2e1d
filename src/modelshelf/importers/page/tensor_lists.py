"""Tensors that a page lists: points and sentences about inputs and outputs, comments in its code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from modelshelf.importers.page.inline import code_spans, plain
from modelshelf.importers.page.markdown import Code, Page, Paragraph
from modelshelf.importers.page.tensor_words import dtype_of, meaning_of, range_of, shape_of
from modelshelf.package.signature import Dimension

Side = Literal["inputs", "outputs"]
LINE_CHARACTERS = 400

_INPUT = re.compile(r"\binputs?\b", re.IGNORECASE)
_OUTPUT = re.compile(r"\boutputs?\b|\breturns?\b|\bresult", re.IGNORECASE)
_NAME = re.compile(r"[\"']?([A-Za-z_][\w/.:-]{0,60})[\"']?$")
_KEYED = re.compile(r"[\w.]{1,40}\[[\"']([\w/.:-]{1,60})[\"']\]$")
_POINT = re.compile(
    r"(?:[*_]{0,3}`([^`\n]{1,80})`[*_]{0,3}|[*_]{2}([\w\"'-]{1,60})[*_]{2}|([A-Za-z_]\w{1,40}))\s{0,2}(?::|-(?= )|\bis\b|=(?= ))(.*)",
    re.DOTALL,
)
_FOLLOWING = re.compile(
    r"(?::|\bfollowing\b[^.]{0,80}:?|\bcontains?|\bare|\bkeys?)\W*$", re.IGNORECASE
)
_LOADER = re.compile(r"\b(?:load|Module|KerasLayer|from_pretrained|loadGraphModel|load_model)\s?\(")
_ASSIGNED = re.compile(r"\s*([A-Za-z_]\w{0,60})\s?=(?!=)\s?([^#\n]{0,300})(?:#\s?(.{0,200}))?")
_KEY = re.compile(r"\[[\"']([\w/.:-]{1,60})[\"']\]\s*$")
_PLACEHOLDER = re.compile(
    r"(?:([A-Za-z_]\w{0,60})\s?=\s?|[\"']([\w/.:-]{1,60})[\"']\s?:\s?)"
    r"(?:[A-Za-z_]\w{0,20}\.){0,4}(?:Input|placeholder|InputLayer|TensorSpec)\(([^\n]{0,200})"
)
_GIVEN_SHAPE = re.compile(
    r"shape\s?=\s?([\[(][^\[\]()]{0,80}[\])])|^\s*(?:[\w.]{1,30},\s?)?([\[(][^\[\]()]{0,80}[\])])"
)
_GIVEN_NAME = re.compile(r"\bname\s?=\s?[\"']([\w/.:-]{1,60})[\"']")
_ATTRIBUTES = frozenset(
    ("shape", "type", "dtype", "size", "range", "format", "description", "note")
)
_STOP = re.compile(r"(?<=\.)\s")
_PLAIN_NAME = re.compile(r"[a-z]\w{1,40}")
_TOGETHER = re.compile(r"\bdict\b|\b[Tt]ensors\b")
_PREPARED = re.compile(
    r"\b\w{0,30}pre_?process\w{0,20}(?:\.\w{1,30})?\(\s{0,20}\[?([A-Za-z_]\w{0,60})"
)
_PART_OF = re.compile(r"(?:Layer|Module)\(\s{0,20}[a-z_]\w{0,40}\.[a-z_]\w{0,40}\s?[,)]")
_SCORES = re.compile(r"#\s{0,2}[Tt]ensor of shape (\d{1,6}),? ?(.{0,80})")


class Listed(NamedTuple):
    """A tensor as one place of a page describes it; None where it does not say."""

    side: Side
    name: str
    dtype: str | None
    shape: tuple[Dimension, ...] | None
    range: tuple[float, float] | None
    meaning: str | None
    description: str | None
    coded: bool


def listed(page: Page, *, prepares: bool = False) -> Iterator[Listed]:
    """Every tensor that the page names, in its order.

    What its code gives to a preprocessor is none of the page's own inputs, unless its package
    `prepares` input itself.
    """
    prepared = (
        set() if prepares else {m for b in page.code for m in _PREPARED.findall(b.text[:100_000])}
    )
    for section in page.sections:
        side = _side(section.title)
        opened = side
        for block in section.blocks:
            if isinstance(block, Code):
                yield from (each for each in _coded(block) if each.name not in prepared)
            elif isinstance(block, Paragraph) and block.item:
                if opened:
                    yield from _point(block, opened)
            elif isinstance(block, Paragraph):
                opened = _side(block.text[-200:]) if _FOLLOWING.search(block.text[-120:]) else side
                yield from _named_together(block.text, side)


def _side(text: str) -> Side | None:
    """The side that a heading or an opening is about; the later word counts where both are there."""
    inputs = [found.start() for found in _INPUT.finditer(text)]
    outputs = [found.start() for found in _OUTPUT.finditer(text)]
    if not inputs and not outputs:
        return None
    return "inputs" if max(inputs, default=-1) > max(outputs, default=-1) else "outputs"


def _point(block: Paragraph, side: Side) -> Iterator[Listed]:
    """`` `name`: what it is ``, or names with their common description."""
    said = _POINT.match(block.text[:2000])
    if not said:
        return
    name = _name(said[1] or said[2] or said[3])
    if name and (own := _side(name)) and name.lower().removesuffix("s") in ("input", "output"):
        side, name = own, own
    elif name and name.lower() in _ATTRIBUTES:
        name = side
    text = plain(said[4])
    if name and (said[1] or said[2] or shape_of(text) or dtype_of(text)):
        yield _told(side, name, text)


def _told(side: Side, name: str, text: str, *, coded: bool = False) -> Listed:
    return Listed(
        side, name, dtype_of(text), shape_of(text), range_of(text),
        meaning_of(name) or meaning_of(text), text[:LINE_CHARACTERS] or None, coded,
    )  # fmt: skip


def _name(text: str) -> str | None:
    """`outputs['boxes']` and `"boxes"` → `boxes`; None for what is no name."""
    bare = text.strip().strip("\"'")
    keyed = _KEYED.match(bare)
    found = keyed or _NAME.match(bare)
    return found[1] if found else None


def _named_together(text: str, side: Side | None) -> Iterator[Listed]:
    """Names with what is said of all: `expects a dict with two int32 Tensors as input: a and b`."""
    if "`" not in text:
        return
    for sentence in _STOP.split(text[:4000]):
        spans = [span for span in code_spans(sentence) if _PLAIN_NAME.fullmatch(span)]
        if len(spans) < 2 or not _TOGETHER.search(sentence):
            continue
        told = side or _side(sentence)
        dtype, shape = dtype_of(sentence), shape_of(sentence)
        if told and (dtype or shape):
            for span in spans:
                if not (shape and span in shape) and dtype_of(span) is None:
                    yield Listed(told, span, dtype, shape, None, meaning_of(span), None, False)


def _coded(block: Code) -> Iterator[Listed]:
    """Placeholders, and names whose comment gives their shape; of a part of a model nothing."""
    models: set[str] = set()
    text = block.text[:100_000]
    if _PART_OF.search(text):
        return
    if "Input(" in text or "placeholder(" in text or "TensorSpec(" in text:
        yield from _placeholders(text)
    for line in text.split("\n"):
        said = _ASSIGNED.match(line[:LINE_CHARACTERS]) if "=" in line else None
        scores = _SCORES.search(line[:LINE_CHARACTERS]) if "shape" in line else None
        if scores:
            length = int(scores[1])
            yield Listed(
                "outputs",
                "output",
                None,
                ("batch_size", length),
                None,
                meaning_of(scores[2]),
                None,
                True,
            )
        if said:
            if _LOADER.search(said[2]):
                models.add(said[1])
            if said[3] and (shape_of(said[3]) is not None):
                yield from _commented(said[1], said[2], said[3], models)


def _placeholders(text: str) -> Iterator[Listed]:
    for found in _PLACEHOLDER.finditer(text):
        given = found[3]
        shaped = _GIVEN_SHAPE.search(given)
        inner = shape_of(f"shape {shaped[1] or shaped[2]}") if shaped else None
        called = _GIVEN_NAME.search(given)
        name = called[1] if called else (found[1] or found[2])
        shape = (
            ("batch_size", *inner) if inner is not None and "placeholder" not in found[0] else inner
        )
        yield Listed("inputs", name, dtype_of(given), shape, None, meaning_of(name), None, True)


def _commented(name: str, value: str, comment: str, models: set[str]) -> Iterator[Listed]:
    """A line of code with a shape: `logits = module(images)  # [batch_size, num_classes]`."""
    key = _KEY.search(value)
    callee = re.match(r"\s*([A-Za-z_]\w*)", value)
    is_output = bool(key) or (callee is not None and callee[1] in models)
    if (
        is_output
        or value.strip() in ("...", "")
        or re.search(r"zeros|random|ones|decode|read", value)
    ):
        side: Side = "outputs" if is_output else "inputs"
        yield _told(side, key[1] if key else name, comment, coded=True)
