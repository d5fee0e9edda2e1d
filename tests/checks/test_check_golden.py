"""Golden cases against the signature that they call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.golden import check

Build = Callable[..., Staged]
X = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
CASE = '[[golden]]\nname = "three"\ninputs = "inputs.npz"\noutputs = "outputs.npz"\n'


def write(folder: Path, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    np.savez(folder / "inputs.npz", **inputs)
    np.savez(folder / "outputs.npz", **outputs)


def case(more: str = "", times: int = 1) -> tuple[str, str]:
    return "[[variants]]", f"{(CASE + more) * times}[[variants]]"


def test_a_case_that_fits(staged: Build, folder: Path) -> None:
    write(folder, {"x": X}, {"y": X * 2})
    assert list(check(staged(*case('signature = "scale"\nvariants = ["small", "large"]\n')))) == []


@pytest.mark.parametrize(
    ("inputs", "outputs", "file", "words"),
    [
        ({"z": X}, {"y": X}, "inputs.npz", ("there is no input `z`", "`x` is missing: expected x=float32[batch, 2]")),
        ({"x": X, "z": X}, {"y": X}, "inputs.npz", ("there is no input `z`",)),
        ({"x": X.astype(np.float64)}, {"y": X}, "inputs.npz", ("wrong dtype: expected float32, got float64",)),
        ({"x": X[:, :1]}, {"y": X}, "inputs.npz", ("wrong shape: expected float32[batch, 2], got float32[3, 1]",)),
        ({"x": X}, {"y": X[:2]}, "outputs.npz", ("`batch` is 3 in `x` but 2 in `y`",)),
        ({"x": X}, {"y": X[0]}, "outputs.npz", ("has 1 axes instead of 2",)),
        ({"x": X}, {"w": X}, "outputs.npz", ("there is no output `w`", "the output `y` is missing")),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit(
    staged: Build, folder: Path, inputs: dict[str, Any], outputs: dict[str, Any], file: str,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    write(folder, inputs, outputs)
    found = list(check(staged(*case())))
    assert len(found) == len(words)
    for problem, text in zip(found, words, strict=True):
        assert problem.file == file
        assert problem.message.startswith("golden case `three`: ")
        assert text in problem.message


@pytest.mark.parametrize(
    ("more", "times", "element", "words"),
    [
        ('signature = "scal"\n', 1, "golden[0].signature", "no signature `scal`"),
        ('variants = ["smal"]\n', 1, "golden[0].variants", "no variant `smal`"),
        ("", 2, "golden[1].name", "golden case `three` twice"),
    ],
)
def test_names(
    staged: Build, folder: Path, more: str, times: int, element: str, words: str
) -> None:
    write(folder, {"x": X}, {"y": X})
    (problem,) = check(staged(*case(more, times)))
    assert problem.element == element
    assert words in problem.message


def test_what_is_no_npz(staged: Build, folder: Path) -> None:
    write(folder, {"x": X}, {"y": X})
    (folder / "inputs.npz").write_bytes(b"PK\x03\x04 no more")
    (folder / "outputs.npz").unlink()
    (problem,) = check(staged(*case()))
    assert problem.file == "inputs.npz"


def test_the_signature_of_the_file_counts_where_none_is_declared(
    staged: Build, folder: Path
) -> None:
    write(folder, {"x": X}, {"z": X})
    text = (folder / "shelf.toml").read_text()
    declared = text[text.index("[signatures") : text.index("[[variants]]")]
    problems = list(check(staged(declared, CASE)))
    assert "there is no output `z`" in problems[0].message


@pytest.mark.parametrize("more", ["absolute = 1e308\n", "relative = 1.5\n"])
def test_a_tolerance_that_zeros_would_pass(staged: Build, folder: Path, more: str) -> None:
    write(folder, {"x": np.ones((2, 2), np.float32)}, {"y": np.full((2, 2), 2, np.float32)})
    (found,) = check(staged(*case(more)))
    assert "may be all zeros" in found.message
