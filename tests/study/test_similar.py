"""The same families in two catalogues, and generations of one algorithm."""

from __future__ import annotations

import pytest

from modelshelf.study.families import Family, Model, families
from modelshelf.study.generations import generations, newer
from modelshelf.study.similar import Counted, similar


def model(name: str, architecture: str, summary: str = "") -> Model:
    return Model(
        f"acme/{name}",
        "default",
        name,
        "image-classification",
        (architecture,),
        ("Birds",),
        (),
        summary,
    )


def counted(*models: Model) -> Counted:
    return Counted(families(models), models)


def counts(one: Counted, other: Counted) -> dict[str, tuple[int, int]]:
    return {
        each.algorithm: (len(each.families["one"].members), len(each.families["other"].members))
        for each in similar({"one": one, "other": other})
    }


def test_the_first_generation_may_go_by_the_bare_word() -> None:
    one = counted(
        model("a", "Sparrow V1 50"), model("b", "Sparrow V1 101"), model("c", "Sparrow V2")
    )
    assert counts(one, counted(model("x", "Sparrow"))) == {"sparrow v1": (2, 1)}


def test_beside_an_explicit_first_the_bare_word_is_something_else() -> None:
    one = counted(model("a", "Sparrow V1"), model("b", "Sparrow"))
    assert counts(one, counted(model("x", "Sparrow V1"))) == {"sparrow v1": (1, 1)}


@pytest.mark.parametrize(
    "summary",
    [
        'A network codenamed "Sparrow" which won.',
        "A network, also called Sparrow, which won.",
        "A network (later renamed Sparrow V1).",
    ],
)
def test_an_algorithm_that_says_its_other_name(summary: str) -> None:
    one = counted(model("a", "Sparrow V1"))
    other = counted(model("x", "SongNet", summary), model("y", "Sparrow v3"))
    assert counts(one, other) == {"sparrow v1": (1, 1)}


def test_generations_in_their_order() -> None:
    found = families(
        [
            model("a", "Sparrow V2"),
            model("b", "Sparrow V1"),
            model("c", "Sparrow V3"),
            model("d", "Finch"),
        ]
    )
    (line,) = generations(found)
    assert (line.algorithm, [step.number for step in line.steps]) == ("sparrow", [1, 2, 3])
    assert {name: newest(found, name) for name in ("sparrow v1", "sparrow v3", "finch")} == {
        "sparrow v1": "sparrow v3", "sparrow v3": None, "finch": None,
    }  # fmt: skip


def newest(found: tuple[Family, ...], name: str) -> str | None:
    own = next(each for each in found if each.algorithm == name)
    found_ = newer(generations(found), own)
    return found_.algorithm if found_ else None
