"""What a release may be called: `shelf check`, `publish`, `diff` and `release`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished, Shelf, write_package

NOWHERE = "http://127.0.0.1:9"


def told(done: Finished, code: int = 0) -> Any:
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


@pytest.fixture
def first(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """A package with one release, 1.0.0; gives its name."""
    name = f"{publisher}/scale"
    assert shelf("publish", str(write_package(tmp_path / "first", name=name))).code == 0
    return name


def changed(folder: Path, name: str, version: str) -> Path:
    """The package with other weights."""
    return write_package(folder, name=name, version=version, factor=3.0)


def test_a_version_too_low_is_told_before_anything_is_sent(
    shelf: Shelf, first: str, tmp_path: Path
) -> None:
    folder = str(changed(tmp_path / "next", first, "1.0.1"))
    value = told(shelf("check", folder, "--json"), 1)
    assert (value["ok"], value["against"]) == (False, "1.0.0")
    (problem,) = value["problems"]
    assert (problem["rule"], problem["line"]) == ("level", 3)
    assert "1.1.0" in problem["hint"]
    assert told(shelf("publish", folder, "--json"), 1)["problems"] == [problem]
    assert told(shelf("check", folder, "--against", "none", "--json"))["against"] is None
    against = told(shelf("check", folder, "--against", f"{first}@1.0.0", "--json"), 1)
    assert against["problems"] == [problem]


def test_an_override_is_told_to_everyone(shelf: Shelf, first: str, tmp_path: Path) -> None:
    folder = str(changed(tmp_path / "next", first, "1.0.1"))
    done = shelf("publish", folder, "--override-level", "only rounding")
    assert done.code == 0, done.err
    assert "warning" in done.err
    assert told(shelf("info", first, "--json"))["change"]["override"] == "only rounding"
    assert "only rounding" in shelf("info", first).out


def test_outdated_tells_what_moves_and_overridden_levels(
    shelf: Shelf, first: str, tmp_path: Path
) -> None:
    assert shelf("install", first).code == 0
    folder = str(changed(tmp_path / "next", first, "1.0.1"))
    assert shelf("publish", folder, "--override-level", "only rounding").code == 0
    (row,) = told(shelf("outdated", "--json"), 1)
    assert (row["latest"], row["level"], row["axes"]) == ("1.0.1", "minor", ["tensors"])
    assert "tensors" in shelf("outdated").out


def test_without_a_registry_a_folder_is_checked_alone(shelf: Shelf, tmp_path: Path) -> None:
    folder = str(write_package(tmp_path / "package"))
    done = shelf("check", folder, "--registry", NOWHERE)
    assert done.code == 0
    assert "Not compared" in done.err
    assert shelf("check", folder, "--registry", NOWHERE, "--against", "a/b@1.0.0").code == 6


def test_warnings_stop_nothing_and_are_counted_apart(
    shelf: Shelf, publisher: str, tmp_path: Path
) -> None:
    import onnx

    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    model = onnx.load(str(folder / "small.onnx"))
    model.graph.node[0].doc_string = 'File "/home/ann/train.py", line 3'
    onnx.save(model, str(folder / "small.onnx"))
    done = shelf("check", str(folder))
    assert done.code == 0
    assert "warning: small.onnx" in done.out
    assert "1 warning." in done.out
    value = told(shelf("check", str(folder), "--json"))
    assert [each["warning"] for each in value["problems"]] == [True]
    assert shelf("publish", str(folder)).code == 0


SIDES = [("folders", 2), ("releases", 2), ("folder", 1), ("release", 1)]


@pytest.mark.parametrize(("kind", "count"), SIDES)
def test_two_sides_are_compared(
    shelf: Shelf, first: str, tmp_path: Path, kind: str, count: int
) -> None:
    old, new = tmp_path / "first", changed(tmp_path / "next", first, "1.1.0")
    sides = [str(old), str(new)]
    if kind.startswith("release"):
        assert shelf("publish", str(new)).code == 0
        sides = [f"{first}@1.0.0", first]
    value = told(shelf("diff", *sides[-count:], "--json"))
    assert (value["diff"]["old"], value["diff"]["new"]) == ("1.0.0", "1.1.0")
    assert (value["diff"]["level"], value["next"]) == ("minor", "1.1.0")
    assert value["diff"]["axes"] == ["tensors"]
    assert {each["format"] for each in value["sizes"]} == {"onnx", "safetensors"}
    text = shelf("diff", *sides[-count:]).out
    assert "weights-changed" in text
    assert f"{first} 1.0.0 -> 1.1.0" in text


def test_a_folder_is_compared_with_its_own_version_once_that_is_published(
    shelf: Shelf, first: str, tmp_path: Path
) -> None:
    folder = str(changed(tmp_path / "next", first, "1.0.0"))
    value = told(shelf("diff", folder, "--json"))
    assert (value["diff"]["old"], value["diff"]["new"]) == ("1.0.0", "1.0.0")
    released = told(shelf("release", folder, "--json"))
    assert (released["next"], released["suffices"]) == ("1.1.0", False)


def test_diff_answers_scripts(shelf: Shelf, first: str, tmp_path: Path) -> None:
    same, other = str(tmp_path / "first"), str(changed(tmp_path / "next", first, "1.1.0"))
    assert shelf("diff", same, other).code == 0
    assert shelf("diff", same, other, "--exit-code").code == 1
    assert shelf("diff", same, same, "--exit-code").code == 0


@pytest.mark.parametrize(
    ("sides", "code"),
    [
        (["./nothing-here"], 2),
        (["no-publisher"], 1),
        (["nobody/nothing@1.0.0"], 1),
        (["{name}@9.9.9"], 1),
        (["{name}@1.0.0"], 1),
    ],
)
def test_sides_that_are_not_there(shelf: Shelf, first: str, sides: list[str], code: int) -> None:
    assert shelf("diff", *(each.format(name=first) for each in sides)).code == code


def test_the_next_version_and_its_notes(shelf: Shelf, first: str, tmp_path: Path) -> None:
    folder = str(changed(tmp_path / "next", first, "1.0.1"))
    value = told(shelf("release", folder, "--json"))
    assert (value["previous"], value["next"], value["suffices"]) == ("1.0.0", "1.1.0", False)
    assert value["notes"].startswith(f"# {first} 1.0.1")
    assert "too low" in shelf("release", folder).out
    drafted = shelf("release", "--notes", folder)
    assert drafted.out == value["notes"]
    assert "1.1.0" in drafted.err
