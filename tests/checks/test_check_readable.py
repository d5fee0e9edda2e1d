"""Readable: what does not follow its format is a problem, and nothing in it is run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.readable import check

Build = Callable[..., Staged]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("large.onnx", b"not a graph"),
        ("large.onnx", b"\x08\xff" * 50),
        ("small.safetensors", b"\xff" * 8 + b"{}"),
        ("small.safetensors", (1 << 40).to_bytes(8, "little") + b"{}"),
        ("small.safetensors", b"\x10\0\0\0\0\0\0\0{"),
    ],
)
def test_a_file_that_breaks_its_format(
    staged: Build, folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    release = staged()
    (problem,) = check(release)
    assert (problem.file, problem.rule) == (name, "readable")
    assert problem.message
    assert problem.hint
    assert name not in release.facts


def test_a_file_cut_short(staged: Build, folder: Path) -> None:
    path = folder / "small.safetensors"
    path.write_bytes(path.read_bytes()[:-3])
    assert [each.file for each in check(staged())] == ["small.safetensors"]


class _Runs:
    """Pickled, it makes a file when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.proof,)


def test_looking_at_a_pickle_does_not_run_it(staged: Build, folder: Path, tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    (folder / "large.onnx").write_bytes(pickle.dumps(_Runs(proof), protocol=2))
    release = staged(
        'format = "onnx"\nfiles = ["large.onnx"]', 'format = "pytorch"\nfiles = ["large.onnx"]'
    )
    list(check(release))
    assert not proof.exists()


def test_a_good_package_is_readable(staged: Build) -> None:
    assert list(check(staged())) == []
