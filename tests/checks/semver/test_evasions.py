"""A break written in another way is still a break: what would hide one from the lints."""

from __future__ import annotations

import pytest

from modelshelf.checks.diff import diff
from tests.checks.semver.pairs import Patch, patched

LABELS = "/labels/labels.txt"
PYTHON = "/record/requires/python"
BESIDE: Patch = {
    "/record/variants/0/artifacts/0/files": ["small.onnx", "values.md"],
    "/facts/small.onnx/companions": ["values.md"],
    "/files/values.md": {"size": 4, "sha256": "a", "weights": "a"},
}
UNTOLD: Patch = {
    "/record/entrypoints": {"large": {"file": "hubconf.py"}},
    "/facts/hubconf.py": {"format": "pytorch-hub", "framework": "pytorch"},
    "/facts/hubconf.py/entrypoints": {"large": {"parameters": []}},
}
ONE = {"inputs": {"x": {"dtype": "int8"}}, "outputs": {"y": {"dtype": "int8"}}}
TWO = {"inputs": {"u": {"dtype": "int8"}}, "outputs": {"v": {"dtype": "int8"}}}
CARRIED: Patch = {
    "/record/signatures": {"one": ONE},
    "/facts/small.onnx/signatures": {"default": ONE},
    "/facts/large.onnx/signatures": {"default": ONE},
}
LEFT: Patch = {
    "/record/signatures": {"one": ONE, "two": TWO},
    "/facts/large.onnx/signatures": {"default": TWO},
}
NEEDED: Patch = {"/facts/hubconf.py/entrypoints/large/parameters": [{"name": "seed"}]}


@pytest.mark.parametrize(
    ("old", "new", "lint"),
    [
        ({}, {f"{PYTHON}/0": 'numpy>=2; python_version > "3.0"'}, "python-requirement-narrowed"),
        ({}, {f"{PYTHON}/0": "numpy[all]>=2"}, "python-requirement-narrowed"),
        ({}, {PYTHON: ["numpy>=2", "numpy>=1.26", "tqdm"]}, "python-requirement-narrowed"),
        ({}, {f"{PYTHON}/0": "numpy @ https://acme.example/numpy.whl"}, "python-requirement-added"),
        (BESIDE, {"/files/values.md/weights": "b"}, "weights-rewritten"),
        ({LABELS: ["a", "b", "a"]}, {LABELS: ["a", "b"]}, "label-removed"),
        (CARRIED, LEFT, "signature-removed"),
        (UNTOLD, NEEDED, "entrypoint-parameter-required-added"),
    ],
)
def test_it_is_found_all_the_same(old: Patch, new: Patch, lint: str) -> None:
    found = {finding.lint for finding in diff(patched(old), patched(old, new)).findings}
    assert lint in found
    assert not found & {"requirement-widened", "files-rewritten"}
