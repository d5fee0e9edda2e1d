"""The contract of a release: made from a folder, kept as JSON, and nothing lost on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from modelshelf import formats
from modelshelf.checks import stage
from modelshelf.checks.contract import Contract, contract
from modelshelf.package import manifest

CASE = '\n[[golden]]\nname = "ones"\ninputs = "in.npz"\noutputs = "out.npz"\n'
Package = Callable[..., Path]


def made(folder: Path) -> Contract:
    record = manifest.parse((folder / "shelf.toml").read_bytes())
    return contract(folder, record, stage(folder, record).facts)


def add(folder: Path, text: str) -> None:
    with (folder / "shelf.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_it_holds_what_callers_rely_on(package: Package, tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    np.savez(folder / "in.npz", x=np.ones((1, 2), np.float32))
    np.savez(folder / "out.npz", y=np.full((1, 2), 2, np.float32))
    add(folder, CASE)
    found = made(folder)
    assert set(found.files) == {
        "small.onnx", "small.safetensors", "large.onnx", "in.npz", "out.npz",
    }  # fmt: skip
    content = (folder / "small.onnx").read_bytes()
    assert found.files["small.onnx"].sha256 == hashlib.sha256(content).hexdigest()
    assert found.files["small.onnx"].size == len(content)
    assert found.facts["small.onnx"].parameters == 2
    assert not any(each.spans for each in found.facts.values())
    array = found.golden["ones"].outputs["y"]
    assert (array.dtype, array.shape) == ("float32", (1, 2))
    assert np.frombuffer(array.data, np.float32).tolist() == [2.0, 2.0]


def test_it_survives_json(package: Package, tmp_path: Path) -> None:
    found = made(package(tmp_path / "p"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Contract) == found


def test_known_digests_are_not_computed_again(package: Package, tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    record = manifest.parse((folder / "shelf.toml").read_bytes())
    facts = stage(folder, record).facts
    whole = contract(folder, record, facts)
    known = {path: held.sha256 for path, held in whole.files.items()}
    assert contract(folder, record, facts, known) == whole
    assert contract(folder, record, facts, {"small.onnx": "f" * 64}).files["small.onnx"].sha256 == "f" * 64  # fmt: skip


@pytest.mark.parametrize(("value", "same"), [(2.0, True), (3.0, False)])
def test_weights_are_told_from_the_text_around_them(
    tmp_path: Path, value: float, same: bool
) -> None:
    tensors = {"w": np.full((3, 4), 2.0, np.float32)}
    save_file(tensors, tmp_path / "a.safetensors")
    save_file({"w": np.full((3, 4), value, np.float32)}, tmp_path / "b.safetensors", {"by": "me"})
    record = manifest.parse(
        '[package]\nname = "a/b"\nversion = "1.0.0"\n'
        '[[variants]]\nname = "v"\n[[variants.artifacts]]\nformat = "safetensors"\n'
        'files = ["a.safetensors", "b.safetensors"]\n'
    )
    paths = ("a.safetensors", "b.safetensors")
    facts = {path: formats.read(tmp_path / path) for path in paths}
    first, second = (contract(tmp_path, record, facts).files[path] for path in paths)
    assert first.sha256 != second.sha256
    assert (first.weights == second.weights) is same


def test_labels_are_lines(package: Package, tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    (folder / "labels.txt").write_text("cat\ndog\n")
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    text = text.replace(
        "[signatures.scale.outputs.y]", '[signatures.scale.outputs.y]\nlabels = "labels.txt"'
    )
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    assert made(folder).labels == {"labels.txt": ("cat", "dog")}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(50)])
def test_a_broken_golden_set_is_left_to_its_check(
    package: Package, tmp_path: Path, content: bytes
) -> None:
    folder = package(tmp_path / "p")
    for name in ("in.npz", "out.npz"):
        (folder / name).write_bytes(content)
    add(folder, CASE)
    assert made(folder).golden == {}
