"""The lock as a graph: shortest ways, circles, packages that are there apart."""

from __future__ import annotations

import pytest

from modelshelf.package import graph
from modelshelf.package.answer import unanswered
from modelshelf.package.lock import Lock, Locked, LockedArtifact
from modelshelf.package.record import Dependency


def package(name: str, *needs: str, version: str = "1.0.0", isolated: str = "") -> Locked:
    kinds = {each.strip("~"): "base" if each.startswith("~") else "runtime" for each in needs}
    artifact = LockedArtifact("small", "onnx", ("python",), (), environments=("default",))
    return Locked(
        name, version, "https://r.example", "0" * 64, "0" * 40, 1, "2026-01-01T00:00:00Z",
        isolated=isolated, artifacts=(artifact,),
        dependencies={on: Dependency("^1", kind=kind) for on, kind in kinds.items()},  # type: ignore[arg-type]
    )  # fmt: skip


def lock(
    *packages: Locked, wanted: tuple[str, ...] = ("a/a",), apart: tuple[str, ...] = ()
) -> Lock:
    asked = {name: Dependency("^1", isolated=name in apart) for name in (*wanted, *apart)}
    return Lock(asked, packages=packages)


def ways(made: Lock, name: str, isolated: str = "") -> list[list[str]]:
    target = next(each for each in made.packages if (each.name, each.isolated) == (name, isolated))
    return [[each.name for each in way] for way in graph.reasons(made, target)]


def test_the_shortest_way_from_each_that_is_wanted() -> None:
    made = lock(
        package("a/a", "a/b", "a/c"), package("a/b", "a/c"), package("a/c", "a/d"), package("a/d"),
        wanted=("a/a", "a/b"),
    )  # fmt: skip
    assert ways(made, "a/d") == [["a/a", "a/c", "a/d"], ["a/b", "a/c", "a/d"]]
    assert ways(made, "a/b") == [["a/a", "a/b"], ["a/b"]]
    above = graph.needed_by(made, made.packages[2])
    assert [each.by.name if each.by else "" for each in above] == ["a/a", "a/b"]
    assert unanswered(made) is None


def test_circles_end() -> None:
    made = lock(package("a/a", "a/b"), package("a/b", "a/a"))
    assert ways(made, "a/a") == [["a/a"]]
    assert ways(made, "a/b") == [["a/a", "a/b"]]
    assert unanswered(made) is None


def test_each_sees_its_own() -> None:
    made = lock(
        package("a/a", "a/c"), package("a/c"),
        package("a/b", "a/c", isolated="a/b"), package("a/c", version="1.5.0", isolated="a/b"),
        apart=("a/b",),
    )  # fmt: skip
    assert unanswered(made) is None
    assert ways(made, "a/c") == [["a/a", "a/c"]]
    assert ways(made, "a/c", "a/b") == [["a/b", "a/c"]]
    assert made.find("a/b") == made.packages[2]


def test_what_a_model_was_made_from_is_no_reason() -> None:
    made = lock(package("a/a", "~a/b"))
    assert [(each.name, each.on) for each in graph.needs(made, made.packages[0])] == [("a/b", None)]
    assert unanswered(made) is None
    assert unanswered(lock(package("a/a", "~a/b"), package("a/b"))) == "nothing needs a/b"


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ((), "a/a is missing"),
        ((package("a/a", "a/b"),), "a/b is missing"),
        ((package("a/a", version="2.0.0"),), "a/a 2.0.0 is not ^1"),
        ((package("a/a", isolated="a/x"),), "a/a is missing"),
        ((package("a/a"), package("a/a", version="1.1.0")), "a/a is locked twice"),
        ((package("a/a"), package("a/z")), "nothing needs a/z"),
        ((package("a/a"), package("a/a", isolated="a/a")), "nothing needs a/a"),
    ],
)
def test_what_does_not_answer(packages: tuple[Locked, ...], told: str) -> None:
    assert unanswered(lock(*packages)) == told


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Dependency("^1", variants=("small",)), True),
        (Dependency("^1", variants=("*",)), True),
        (Dependency("^1", variants=("large",)), False),
        (Dependency("^1", format="gguf"), False),
        (Dependency("^1", context="edge"), False),
        (Dependency("^1", where="width<=1"), True),
    ],
)
def test_the_models_asked_for(wanted: Dependency, fits: bool) -> None:
    assert (unanswered(Lock({"a/a": wanted}, packages=(package("a/a"),))) is None) is fits
