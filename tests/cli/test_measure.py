"""`shelf measure`: figures on the screen and in the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.package import manifest
from tests.conftest import Shelf


@pytest.fixture
def folder(package: Callable[..., Path], tmp_path: Path) -> Path:
    return package(tmp_path / "p")


def test_figures_are_written_beside_what_was_there(shelf: Shelf, folder: Path) -> None:
    done = shelf("measure", str(folder), "--write")
    assert done.code == 0, done.err
    assert "onnxruntime" in done.out
    record = manifest.parse((folder / "shelf.toml").read_bytes())
    costs = {
        (variant.name, artifact.format): artifact.cost
        for variant in record.variants
        for artifact in variant.artifacts
    }
    assert costs["small", "safetensors"] is None
    assert costs["small", "onnx"]
    assert costs["large", "onnx"]
    assert shelf("check", str(folder)).code == 0


def test_json_tells_what_could_not_be_measured(shelf: Shelf, folder: Path) -> None:
    done = shelf("measure", str(folder), "--variant", "small", "--json")
    told = json.loads(done.out)["measured"]
    assert [(each["format"], each["cost"] is None) for each in told] == [
        ("onnx", False),
        ("safetensors", True),
    ]
    assert "weights" in told[1]["why"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--variant", "huge"), "there is no variant `huge`"),
        (("nowhere",), "there is no shelf.toml"),
    ],
)
def test_mistakes(shelf: Shelf, folder: Path, arguments: tuple[str, ...], says: str) -> None:
    done = shelf("measure", *arguments, cwd=folder)
    assert done.code == 1
    assert says in done.err
