"""Rules and schema: each rule stands at a place of the record that exists."""

from __future__ import annotations

import re

import pytest

from modelshelf.package.manifest import Project
from modelshelf.package.record import Record
from modelshelf.package.rules import RULES, across
from modelshelf.package.schema import Wrong, dotted, walk
from modelshelf.package.vocabularies import nearest, vocabulary

FREE = {"dependencies": "a/b", "signatures": "s", "inputs": "x", "outputs": "x", "entrypoints": "e",
        "frameworks": "torch", "symbols": "n", "connect": "y",
        "environments": "phone"}  # fmt: skip


def _place(pattern: str) -> tuple[str | int, ...]:
    """A place that `pattern` stands for."""
    place: list[str | int] = []
    for step in pattern.removesuffix(".<key>").split("."):
        place.append((FREE.get(str(place[-1]), 0) if step == "*" else step) if place else step)
    return tuple(place)


def _document(place: tuple[str | int, ...], leaf: object) -> object:
    for step in reversed(place):
        leaf = [leaf] if isinstance(step, int) else {step: leaf}
    return leaf


@pytest.mark.parametrize("pattern", sorted(RULES))
def test_every_rule_is_asked_at_its_place(pattern: str) -> None:
    place, asked = _place(pattern), Wrong("asked")
    found: list[tuple[object, ...]] = []
    leaves: tuple[object, ...] = ("x", 1, 1.5, [], {})
    for leaf in leaves:
        rules = {pattern: lambda _value: asked}
        for model in (Record, Project):
            found += walk(_document(place, leaf), model, rules)
    assert (place, asked) in found


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ((), ""),
        (("package",), "package"),
        (("variants", 0, "artifacts", 12, "files", 3), "variants[0].artifacts[12].files[3]"),
        (("dependencies", "a/b", "version"), "dependencies.a/b.version"),
    ],
)
def test_places_are_written_with_dots(place: tuple[str | int, ...], text: str) -> None:
    assert dotted(place) == text


def test_the_good_record_breaks_no_rule_across_values(record: Record) -> None:
    assert list(across(record)) == []


def test_too_large_values_are_not_shown() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    (found,) = (each for each in walk({"package": deep}, Record, {}) if each.place == ("package",))
    assert len(found.wrong.message) < 200
    while isinstance(deep, list):  # let go of it level by level
        deep = deep.pop()


@pytest.mark.parametrize("name", ["tasks", "contexts", "formats", "precisions"])
def test_vocabularies_say_what_each_word_means(name: str) -> None:
    words = vocabulary(name)
    assert words
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word) for word in words)
    assert all(len(meaning) > 5 for meaning in words.values())


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("image-clasification", "image-classification"),
        ("Image_Classification", "image-classification"),
        ("texto-generation", "text-generation"),
        ("qqqqqq", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
    ids=["letter", "case", "more", "none", "empty", "long"],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    expected = f"did you mean `{meant}`?" if meant else None
    assert nearest(word, list(vocabulary("tasks"))) == expected
