"""Drafts of release notes say what callers must do, and show numbers before and after."""

from __future__ import annotations

import pytest

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import diff
from modelshelf.checks.notes import (
    MetricChange,
    SizeChange,
    metric_changes,
    release_notes,
    size_changes,
)
from tests.checks.semver.pairs import fixtures, patched

LATER = {"/record/package/version": "2.0.0"}


def changed(*names: str) -> tuple[Contract, Contract]:
    """The base and a release with the changes of these fixtures."""
    return patched(), patched(LATER, *(fixtures()[name].new for name in names))


def draft(*names: str) -> str:
    old, new = changed(*names)
    return release_notes(diff(old, new), old, new)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("input-removed", "* **Breaking**: Signature `classify`: the input `sound` is gone. Leave the input out. Until now: `image: float32[2, 1, 2, 2]`."),
        ("label-permuted", 'Until now: `index 0: "cat" became "dog"`'),
        ("variant-added", "## What is new\n\n* There is another variant, `tiny`."),
        ("documentation-changed", "## Also changed\n\n* `summary` changed."),
        ("algorithm-changed", "* Algorithm: CNN V1 → CNN V2"),
        ("license-narrowed", "* License: Apache-2.0 → GPL-3.0-only"),
        ("metric-slipped", "| small | accuracy (digits, test) | 0.98 | 0.97 | worse |"),
        ("metric-improved", "| small | loss | 0.2 | 0.1 | better |"),
        ("metric-removed", "| small | loss | 0.2 |  |  |"),
        ("variant-added", "| tiny | safetensors, float32 |  | 1 kB |"),
        ("weights-changed", "**Unverified**: weights changed"),
        ("weights-changed", "A **minor** change after 1.0.0; moved: tensors."),
    ],
)  # fmt: skip
def test_notes_tell(name: str, told: str) -> None:
    assert told in draft(name)


def test_what_breaks_comes_first() -> None:
    lines = draft("weights-changed", "input-removed", "variant-added").splitlines()
    heads = [line for line in lines if line.startswith("## ")]
    points = [line for line in lines if line.startswith("* ")]
    assert heads == ["## What callers must do", "## What is new", "## Metrics", "## Sizes"]
    assert [point.startswith("* **Breaking**") for point in points] == [True, False, False]


def test_nothing_to_tell() -> None:
    text = draft()
    assert text.startswith(
        "# acme/digits 2.0.0\n\nA **patch** change after 1.0.0.\nNothing changed"
    )
    assert "callers must do" not in text


def test_metrics_before_and_after() -> None:
    old, new = changed("metric-regressed", "metric-added")
    assert metric_changes(old.record.variants, new.record.variants) == (
        MetricChange("small", "accuracy", 0.98, 0.98, "digits", "test"),
        MetricChange("small", "loss", 0.2, 0.3, better=False),
        MetricChange("small", "recall", None, 0.9),
    )


def test_sizes_before_and_after() -> None:
    old, new = changed("variant-removed")
    assert size_changes(old, new) == (
        SizeChange("small", "onnx", "float32", 1000, 1000),
        SizeChange("small", "safetensors", "float32", 1000, 1000),
        SizeChange("large", "onnx", "float32", 1000),
        SizeChange("large", "pytorch-hub", None, 2000),
    )


def test_cells_hold_their_rows() -> None:
    patch = {"/record/variants/0/metrics/1/dataset": "a | b\nc"}
    old, new = patched(patch), patched(LATER, patch)
    text = release_notes(diff(old, new), old, new)
    assert "| small | loss (a \\| b c) | 0.2 | 0.2 |  |" in text
