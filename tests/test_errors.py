"""Errors: one tree, each with its exit code; the drawing in the module is the truth."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from modelshelf import errors
from modelshelf.errors import Invalid, Problem, ShelfError

CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ShelfError) and kind is not ShelfError
}
DRAWN = dict(re.findall(r"[├└]── (\w+) +(\d)", errors.__doc__ or ""))


def test_the_tree_is_drawn_with_its_exit_codes() -> None:
    assert {name: str(kind.exit_code) for name, kind in CLASSES.items()} == DRAWN


def test_exit_codes_are_those_of_the_contract() -> None:
    assert {name: kind.exit_code for name, kind in CLASSES.items() if kind.exit_code != 1} == {
        "UsageError": 2,
        "Unsatisfiable": 3,
        "LockStale": 4,
        "IntegrityError": 5,
        "NetworkError": 6,
        "NotAllowed": 7,
        "Refused": 8,
    }


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_an_error_says_what_where_and_what_to_do(kind: type[ShelfError]) -> None:
    error = kind("wrong", where="a:1", expected="b", got=0, hint="c")
    assert str(error) == "wrong"
    assert error.as_json() == {
        "error": kind.__name__,
        "message": "wrong",
        "where": "a:1",
        "expected": "b",
        "got": 0,
        "hint": "c",
    }


def test_what_is_not_known_is_left_out() -> None:
    assert ShelfError("wrong").as_json() == {"error": "ShelfError", "message": "wrong"}


def test_problems_are_part_of_the_json() -> None:
    problem = Problem("wrong", line=3, element="package.task", hint="right")
    shown = json.loads(json.dumps(Invalid("bad", problems=(problem,)).as_json()))
    assert shown["problems"] == [
        {
            "message": "wrong",
            "file": "shelf.toml",
            "line": 3,
            "element": "package.task",
            "hint": "right",
            "rule": "manifest",
            "warning": False,
        }
    ]


@pytest.mark.parametrize(
    ("problem", "place"),
    [(Problem("x", line=3), "shelf.toml:3"), (Problem("x", file="a.onnx"), "a.onnx")],
)
def test_where_is_what_editors_understand(problem: Problem, place: str) -> None:
    assert problem.where() == place
