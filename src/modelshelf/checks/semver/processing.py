"""Lints of what must be done to data before and after the model, and of its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.package.record import Processing

Side = Literal["preprocessing", "postprocessing"]
SIDES: tuple[Side, ...] = ("preprocessing", "postprocessing")


def _sides(pair: Pair, side: Side) -> tuple[Processing, Processing]:
    before: Processing | None = getattr(pair.old.record, side)
    after: Processing | None = getattr(pair.new.record, side)
    return before or Processing(), after or Processing()


def _steps(side: Side, pair: Pair) -> Iterator[Found]:
    before, after = _sides(pair, side)
    if before.steps and before.steps != after.steps:
        old, new = (", ".join(each.steps) or "nothing said" for each in (before, after))
        yield Found(f"{side} was: {old}; now: {new}", f"{side}.steps", f"data after: {old}")


def _tokenizer(pair: Pair) -> Iterator[Found]:
    for side in SIDES:
        before, after = (each.tokenizer for each in _sides(pair, side))
        if before is None:
            continue
        place = f"{side}.tokenizer"
        if after is None:
            yield Found(f"the tokenizer `{before}` is not told any more", place)
            continue
        old, new = pair.old.files.get(before), pair.new.files.get(after)
        if (old and old.sha256) != (new and new.sha256):
            message = f"the tokenizer `{after}` is not the one that it was"
            yield Found(message, place, "a text whose words have other numbers now")


def _stated(pair: Pair) -> Iterator[Found]:
    for side in SIDES:
        before, after = _sides(pair, side)
        if after.steps and not before.steps:
            yield Found(f"{side} is told now: {', '.join(after.steps)}", f"{side}.steps")
        if after.tokenizer and not before.tokenizer:
            yield Found(f"the tokenizer is told now: `{after.tokenizer}`", f"{side}.tokenizer")


LINTS: tuple[Lint, ...] = (
    Lint(
        "preprocess-changed", "major",
        "Data must be prepared in another way. The model accepts what was prepared the old way and "
        "answers worse, so nothing tells callers but this.",
        partial(_steps, "preprocessing"), "code", "Prepare the data as the new release says.",
    ),
    Lint(
        "postprocess-changed", "major",
        "What the model puts out must be treated in another way before it means what it should.",
        partial(_steps, "postprocessing"), "code", "Treat the outputs as the new release says.",
    ),
    Lint(
        "tokenizer-vocabulary-changed", "major",
        "The tokenizer's file has other bytes or is gone. The same text may become other numbers, which "
        "a model accepts without a word. The file is not looked into: any change counts.",
        _tokenizer, "code", "Tokenize with the new release's file.",
    ),
    Lint(
        "processing-stated", "minor",
        "Steps or a tokenizer are told that were not told. Callers gain a promise and lose none, but "
        "later releases are held to it.",
        _stated, "code",
    ),
)  # fmt: skip
