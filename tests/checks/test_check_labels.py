"""Labels are as many as the values they name; bounds are of sizes that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement import symbols
from modelshelf.checks.agreement.labels import check

Build = Callable[..., Staged]


@pytest.mark.parametrize(
    ("output", "labels", "words"),
    [
        ("", "zero\none\n", None),
        ("", "zero\none", None),
        ("", "zero\n", "`labels.txt` has 1 labels, but `y` is float32[batch, 2]: 2 values"),
        ("", "zero\none\ntwo\n", "has 3 labels"),
        ('shape = ["batch", 3, 8, 8]\nlayout = "NCHW"', "a\nb\nc\n", None),
        ('shape = ["batch", 3, 8, 8]\nlayout = "NCHW"', "a\nb\n", "has 2 labels"),
        ('shape = ["batch", "classes"]', "a\n", None),
        ('shape = [4]\ndtype = "int64"', "a\nb\n", None),
        ('shape = [4]\ndtype = "int64"\nmeaning = "class-scores"', "a\nb\n", "has 2 labels"),
        ("", b"\xff\xfe", "is no UTF-8 text"),
        ("", "a\n" * 200_001, "more than 200000 labels"),
    ],
)
def test_labels_of_the_wrong_length(
    staged: Build, folder: Path, output: str, labels: str | bytes, words: str | None
) -> None:
    raw = labels if isinstance(labels, bytes) else labels.encode()
    (folder / "labels.txt").write_bytes(raw)
    usual = 'dtype = "float32"\nshape = ["batch", 2]'
    text = output if "shape" in output else f"{usual}\n{output}"
    text = text if "dtype" in text else f'dtype = "float32"\n{text}'
    release = staged(
        f"[signatures.scale.outputs.y]\n{usual}",
        f'[signatures.scale.outputs.y]\n{text}\nlabels = "labels.txt"',
    )
    found = list(check(release))
    assert [each.file for each in found] == (["labels.txt"] if words else [])
    for each in found:
        assert words
        assert words in each.message
        assert each.element == "signatures.scale.outputs.y.labels"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ("batch = { min = 1, max = 8 }", None),
        ("batch = { min = 8, max = 8 }", None),
        ("batch = { min = 9, max = 8 }", "`batch` is at least 9 and at most 8"),
        ("bach = { min = 1 }", "no shape of signature `scale` has a size called `bach`"),
    ],
)
def test_bounds(staged: Build, bounds: str, words: str | None) -> None:
    head = "[signatures.scale.inputs.x]"
    found = list(symbols.check(staged(head, f"[signatures.scale.symbols]\n{bounds}\n{head}")))
    assert [words in each.message for each in found if words] == ([True] if words else [])
    assert bool(found) is bool(words)
