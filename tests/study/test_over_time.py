"""Snapshots of one hub: what came, went and changed."""

from __future__ import annotations

import pytest

from modelshelf.errors import UsageError
from modelshelf.package.catalogue import Described
from modelshelf.study import answer, answers, render
from modelshelf.study.over_time import Step, steps
from tests.study.catalogues import artifact, release
from tests.study.surveys import birds, of_hub, survey

OLD = (
    release("acme/gone", task="other"),
    release("acme/kept", license="MIT", task="other", datasets=("a", "b")),
    release("ada/changed", license="MIT", task="other"),
)


def later() -> tuple[Described, ...]:
    metric = {"name": "accuracy", "value": 0.5}
    variant = {"name": "default", "artifacts": artifact("onnx"), "metrics": [metric]}
    return (
        release("acme/kept", license="MIT", task="other", datasets=("b", "a")),
        release("acme/new", task="other"),
        release("ada/changed", license="MIT", task="other"),
        release("ada/changed", "2.0.0", license="Apache-2.0", task="other", variants=(variant,),
                record={"dependencies": {"acme/kept": {"version": "*"}}}),
        release("eve/new", gone="deleted"),
    )  # fmt: skip


def test_steps_are_of_one_hub() -> None:
    with survey(birds("a"), birds("x", hub="pytorchhub"), birds("b"), birds("c")) as made:
        assert steps(made) == (Step("a", "b"), Step("b", "c"))


def test_one_snapshot_is_no_time() -> None:
    with survey() as made:
        with pytest.raises(UsageError, match="nothing to compare"):
            answer("over-time", made)
        assert "over-time" not in {each.name for each in answers(made)}


def test_what_came_went_and_changed() -> None:
    with survey(of_hub("hub", "1", *OLD), of_hub("hub", "2", *later())) as made:
        tables = {each.id: each for each in answer("over-time", made).tables}
    counts = {(what, how): count for what, how, count in tables["steps"].rows}
    told = {key: count for key, count in counts.items() if count}
    assert told == {
        ("packages", "came"): 2, ("packages", "went"): 1, ("packages", "stayed"): 2,
        ("packages that stayed", "newer version"): 1, ("packages that stayed", "license changed"): 1,
        ("packages that stayed", "formats changed"): 1, ("versions", "came"): 3,
        ("versions", "went"): 1, ("publishers", "came"): 1, ("quality figures", "came"): 1,
        ("dependencies on models", "came"): 1,
    }  # fmt: skip
    assert tables["packages"].rows == (
        ("1 → 2", "went", "acme/gone", "1.0.0", None, None),
        ("1 → 2", "changed", "ada/changed", "1.0.0", "2.0.0", "newer version, license, formats"),
        ("1 → 2", "came", "acme/new", None, "1.0.0", None),
        ("1 → 2", "came", "eve/new", None, "1.0.0", None),
    )
    assert tables["publishers"].rows == (("1 → 2", "came", "eve", "unknown", 1),)
    figures = {row[0]: row[1:] for row in tables["figures"].rows}
    assert figures["publishers: persons"] == (1, 1)
    assert figures["packages whose files are gone"] == (0, 1)
    shares = {row[:2]: row[2:] for row in tables["shares"].rows}
    assert shares["license", "MIT"] == (2, 66.7, 1, 25.0)
    assert shares["format", "onnx"] == (0, 0.0, 1, 25.0)


def test_capitals_are_no_change() -> None:
    old = release("acme/kept", algorithm="Sparrow", datasets=("Garden", "birds"))
    new = release("acme/kept", algorithm="sparrow", datasets=("Birds", "garden"))
    with survey(of_hub("hub", "1", old), of_hub("hub", "2", new)) as made:
        counts = answer("over-time", made).tables[0].rows
    assert {row[:2] for row in counts if row[2]} == {("packages", "stayed")}


def test_a_snapshot_with_itself_changes_nothing() -> None:
    with survey(birds("1"), birds("2")) as made:
        found = answer("over-time", made)
    counts = {row[:2]: row[2] for row in found.tables[0].rows}
    assert {key: count for key, count in counts.items() if count} == {("packages", "stayed"): 4}
    assert "(nothing)" in render.text(found)
