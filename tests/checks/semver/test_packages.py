"""Real packages against each other: contracts made from their folders, then compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from modelshelf.checks import stage
from modelshelf.checks.contract import Contract, contract
from modelshelf.checks.diff import diff
from modelshelf.package import manifest

Package = Callable[..., Path]
GOLDEN = '\n[[golden]]\nname = "ones"\ninputs = "in.npz"\noutputs = "out.npz"\n'
BOTH = f'{GOLDEN}variants = ["small", "large"]\n'


def made(folder: Path) -> Contract:
    record = manifest.parse((folder / "shelf.toml").read_bytes())
    return contract(folder, record, stage(folder, record).facts)


def with_golden(folder: Path, factor: float, text: str) -> Path:
    np.savez(folder / "in.npz", x=np.ones((1, 2), np.float32))
    np.savez(folder / "out.npz", y=np.full((1, 2), factor, np.float32))
    with (folder / "shelf.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


@pytest.mark.parametrize(
    ("factor", "golden", "lints", "level", "unverified"),
    [
        (2.0, "", [], "patch", False),
        (3.0, "", ["weights-changed", "weights-changed"], "minor", True),
        (3.0, GOLDEN, ["weights-changed", "golden-output-drift"], "minor", True),
        (3.0, BOTH, ["golden-output-drift"], "minor", False),
        (2.0001, BOTH, ["weights-rewritten", "weights-rewritten"], "patch", False),
    ],
)
def test_weights(
    package: Package, tmp_path: Path, factor: float, golden: str, lints: list[str], level: str, unverified: bool
) -> None:  # fmt: skip
    old, new = package(tmp_path / "old"), package(tmp_path / "new", factor=factor)
    if golden:
        with_golden(old, 2.0, golden)
        with_golden(new, factor, golden)
    found = diff(made(old), made(new))
    assert [finding.lint for finding in found.findings] == lints
    assert (found.level, found.unverified) == (level, unverified)
    assert found.axes == (("tensors",) if lints else ())


def test_a_header_is_no_weight(package: Package, tmp_path: Path) -> None:
    old, new = package(tmp_path / "old"), package(tmp_path / "new")
    tensors = {"factor": np.full((2,), 2.0, np.float32)}
    save_file(tensors, new / "small.safetensors", {"written": "again"})
    found = diff(made(old), made(new))
    assert [finding.lint for finding in found.findings] == ["files-rewritten"]


@pytest.mark.parametrize(
    ("old_text", "new_text", "lint", "witness"),
    [
        ('shape = ["batch", 2]\n[', "shape = [4, 2]\n[", "input-shape-narrowed", "x: float32[2, 2]"),
        ('dtype = "float32"\nshape = ["batch", 2]\n[', 'dtype = "int64"\nshape = ["batch", 2]\n[', "input-dtype-changed", "x: float32[2, 2]"),
        ('license = "Apache-2.0"', 'license = "CC-BY-NC-4.0"', "license-narrowed", None),
        ('contexts = ["python", "javascript"]', 'contexts = ["python"]', "context-removed", "--format onnx --context javascript"),
        ("signatures.scale.", "signatures.double.", "signature-removed", 'model(x: float32[2, 2], signature="scale")'),
    ],
)  # fmt: skip
def test_manifests(
    package: Package, tmp_path: Path, old_text: str, new_text: str, lint: str, witness: str | None
) -> None:
    old, new = package(tmp_path / "old"), package(tmp_path / "new")
    text = (new / "shelf.toml").read_text(encoding="utf-8")
    assert old_text in text
    (new / "shelf.toml").write_text(text.replace(old_text, new_text), encoding="utf-8")
    found = diff(made(old), made(new))
    assert (found.findings[0].lint, found.findings[0].witness) == (lint, witness)
    assert found.level == "major"


def test_what_files_say_counts_where_nothing_is_declared(package: Package, tmp_path: Path) -> None:
    old, new = package(tmp_path / "old"), package(tmp_path / "new")
    text = (new / "shelf.toml").read_text(encoding="utf-8")
    start, end = text.index("[signatures"), text.index("[[variants]]")
    (new / "shelf.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    found = diff(made(old), made(new))
    assert [finding.lint for finding in found.findings] == []
