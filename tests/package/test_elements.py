"""The table of the 33 information elements, against the paper's Table 2."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from modelshelf.package.elements import (
    DIMENSIONS,
    ELEMENTS,
    LEVELS,
    Element,
    Known,
    Level,
    Value,
    completeness,
    describe,
    lacking,
)
from modelshelf.package.manifest import parse
from modelshelf.package.record import Package, Record

TABLE_2 = Path(__file__).parents[2].parent / "shared" / "reference" / "table2.csv"
IDS = [element.id for element in ELEMENTS]
LEAST = """\
[package]
name = "acme/digits"
version = "1.0.0"
summary = "Digits"
license = "MIT"
task = "other"
[[variants]]
name = "small"
[[variants.artifacts]]
format = "onnx"
files = ["small.onnx"]
"""


@pytest.fixture
def least() -> Record:
    return parse(LEAST)


def test_there_are_33_elements_in_7_dimensions() -> None:
    assert len(ELEMENTS) == len(set(IDS)) == len({each.name for each in ELEMENTS}) == 33
    assert len(DIMENSIONS) == 7
    assert Counter(each.dimension for each in ELEMENTS) == dict(
        zip(DIMENSIONS, (12, 10, 2, 4, 1, 2, 2), strict=True)
    )


def test_names_and_order_are_those_of_the_paper() -> None:
    if not TABLE_2.is_file():
        pytest.skip("the transcript of the paper's Table 2 is not beside this checkout")
    with TABLE_2.open(encoding="utf-8", newline="") as file:
        rows = [(row["dimension"], row["element"]) for row in csv.DictReader(file)]
    assert [(each.dimension, each.name) for each in ELEMENTS] == rows


@pytest.mark.parametrize("each", ELEMENTS, ids=IDS)
def test_a_row_says_all_that_others_read(each: Element) -> None:
    assert each.description.endswith(".")
    assert each.fields or each.source in ("extracted", "observed")
    assert each.level is None or each.level in LEVELS
    assert each.level is None or each.fields, "a publisher must be able to add what is asked for"
    assert each.level is None or each.hint or each.id in ("name", "version", "running-environment")


@pytest.mark.parametrize("place", sorted({p for each in ELEMENTS for p in each.fields}))
def test_every_place_is_one_of_the_record(place: str) -> None:
    kind: object = msgspec.inspect.type_info(Record)
    for step in place.split("."):
        kind = getattr(kind, "item_type", kind)
        if isinstance(kind, msgspec.inspect.UnionType):
            kind = next(k for k in kind.types if isinstance(k, msgspec.inspect.StructType))
        assert isinstance(kind, msgspec.inspect.StructType)
        kind = next(field.type for field in kind.fields if field.name == step)


def test_every_field_of_the_package_is_an_element_or_names_files() -> None:
    told = {place.split(".")[1] for each in ELEMENTS for place in each.fields if "." in place}
    # a family is no fact of one package: it says which others are like it
    assert set(Package.__struct_fields__) - told == {"include", "family"}


def test_describe_gives_all_33_in_order_with_how_they_are_known(record: Record) -> None:
    values = describe(record, extracted={"size": 1}, observed={"downloads": 0})
    assert list(values) == IDS
    assert {value.known for value in values.values()} <= set(get_args(Known))
    assert values["size"] == Value(1, "extracted")
    assert values["downloads"] == Value(0, "observed")
    assert values["dependents"] == Value(None, "absent")
    assert values["name"] == Value("acme/digits", "declared")
    assert all((each.value is None) == (each.known == "absent") for each in values.values())


def test_what_several_fields_declare_is_told_by_field(record: Record) -> None:
    values = describe(record)
    assert values["data-description"].value == {
        "datasets": ("uci-digits",),
        "language": "en",
        "preprocessing": "scaled to 0..1",
    }
    assert values["quality"].value == {
        "small": ({"name": "accuracy", "value": 0.98, "dataset": "uci-digits", "split": "test"},)
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Value("Apache-2.0", "declared")),
        ({"observed": {"license": "o"}}, Value("Apache-2.0", "declared")),
        ({"extracted": {"license": "e"}}, Value("Apache-2.0", "declared")),
        ({"verified": {"license": "v"}, "extracted": {"license": "e"}}, Value("v", "verified")),
    ],
)
def test_whose_word_goes_first(
    record: Record, given: dict[str, dict[str, object]], expected: Value
) -> None:
    values = describe(
        record,
        extracted=given.get("extracted"),
        observed=given.get("observed"),
        verified=given.get("verified"),
    )
    assert values["license"] == expected


def test_files_speak_before_the_registry(least: Record) -> None:
    values = describe(least, extracted={"dependencies": "e"}, observed={"dependencies": "o"})
    assert values["dependencies"] == Value("e", "extracted")


def test_a_full_record_is_complete(record: Record) -> None:
    told = completeness(describe(record))
    assert told.level == "complete"
    assert told.known == told.of == sum(each.level is not None for each in ELEMENTS)
    assert told.missing == {level: [] for level in LEVELS}
    assert lacking(describe(record), "complete") == []


def test_the_least_that_a_package_says(least: Record) -> None:
    values = describe(least)
    told = completeness(values)
    assert told.level == "minimal"
    assert told.missing["documented"] == [e.id for e in ELEMENTS if e.level == "documented"]
    assert lacking(values, "minimal") == []


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_level_lacks_is_what_completeness_counts(level: Level, least: Record) -> None:
    values = describe(msgspec.structs.replace(least, package=Package("a/b", "1.0.0")))
    told = completeness(values)
    assert told.level is None
    reached = LEVELS[: LEVELS.index(level) + 1]
    problems = lacking(values, level)
    assert len(problems) == sum(len(told.missing[each]) for each in reached)
    assert all(each.element and each.rule == "documentation" for each in problems)
    assert all((each.hint or "").startswith("add ") for each in problems)


@pytest.mark.parametrize("field", ["summary", "license", "task"])
def test_without_one_of_its_fields_a_level_is_not_reached(field: str, least: Record) -> None:
    package = msgspec.structs.replace(least.package, **{field: None})
    values = describe(msgspec.structs.replace(least, package=package))
    assert completeness(values).level is None
    assert [each.element for each in lacking(values, "minimal")] == [f"package.{field}"]
