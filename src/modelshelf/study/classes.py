"""Task classes as the paper groups them (its Table 3): application domain, input, class.

`classes.json` says it of each word of our task vocabulary. Tasks that the paper did not meet have
classes of their own; translation of text, for which it has none, stands where it put it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from modelshelf.study import paper


class Class(NamedTuple):
    """One row of Table 3, without its numbers."""

    domain: str
    input: str
    name: str


UNKNOWN = Class("Unknown", "Unknown", "Unknown")
"""Of packages whose task nobody tells."""


@cache
def _known() -> Mapping[str, Class]:
    text = files(__package__).joinpath("classes.json").read_text(encoding="utf-8")
    return {task: Class(*words) for task, words in json.loads(text).items()}


def of(task: str | None) -> Class:
    """The class of a task; a word that no vocabulary has is one of its own."""
    if not task:
        return UNKNOWN
    return _known().get(task) or Class("Other", "Other", task)


def of_row(row: Mapping[str, str]) -> Class:
    """The class that a row of the paper is about."""
    return Class(row["domain"], row["input"], row["class"])


def in_order(found: Iterable[Class]) -> Iterator[Class]:
    """The paper's classes in its order, each of the others after those of its domain and input."""
    theirs = [of_row(row) for row in paper.rows("table3")]
    domains = [*dict.fromkeys(each.domain for each in theirs), "Other", UNKNOWN.domain]
    inputs = list(dict.fromkeys((each.domain, each.input) for each in theirs))

    def place(each: Class) -> tuple[int, int, int, Class]:
        pair = each[:2]
        return (
            domains.index(each.domain),
            inputs.index(pair) if pair in inputs else len(inputs),
            theirs.index(each) if each in theirs else len(theirs),
            each,
        )

    yield from sorted({*theirs, *found}, key=place)
