"""Signatures: the declared and the one inside the file, both shown where they differ."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.signatures import check
from modelshelf.package.signature import Signature, Tensor

Build = Callable[..., Staged]
DECLARED = """\
[signatures.scale.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.scale.outputs.y]
dtype = "float32"
shape = ["batch", 2]
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "said", "read"),
    [
        ('shape = ["batch", 2]\n[', 'shape = ["batch", 3]\n[', "inputs.x", "float32[batch, 3]", "float32[batch, 2]"),
        ('shape = ["batch", 2]\n[', "shape = [1, 2]\n[", "inputs.x", "float32[1, 2]", "float32[batch, 2]"),
        ('dtype = "float32"', 'dtype = "int64"', "inputs.x", "int64[batch, 2]", "float32[batch, 2]"),
        ("scale.outputs.y", "scale.outputs.z", "outputs.y", "absent", "float32[batch, 2]"),
        ("scale.outputs.y", "scale.outputs.z", "outputs.z", "float32[batch, 2]", "absent"),
    ],
)  # fmt: skip
def test_both_values_are_shown(
    staged: Build, old: str, new: str, place: str, said: str, read: str
) -> None:
    found = [each for each in check(staged(old, new)) if f"{place}:" in each.message]
    assert [each.file for each in found] == ["small.onnx", "large.onnx"]
    assert f"declared {said}, but the file says {read}" in found[0].message
    assert found[0].element == f"signatures.scale.{place}"
    assert found[0].hint


@pytest.mark.parametrize("symbol", ['"N"', '"batch"', '"rows"'])
def test_names_of_sizes_may_differ(staged: Build, symbol: str) -> None:
    release = staged('shape = ["batch", 2]\n[', f"shape = [{symbol}, 2]\n[")
    assert list(check(release)) == []


def test_the_nearest_declared_signature_counts(staged: Build) -> None:
    other = DECLARED.replace("scale", "embed").replace(".x]", ".text]")
    assert list(check(staged(DECLARED, other + DECLARED))) == []


def test_what_the_file_says_is_enough(staged: Build) -> None:
    assert list(check(staged(DECLARED, ""))) == []


def test_where_no_file_can_say_it_must_be_declared(staged: Build) -> None:
    small = '[[variants.artifacts]]\nformat = "onnx"\nfiles = ["small.onnx"]\ncontexts = ["python", "javascript"]\n'
    assert list(check(staged(small, ""))) == []
    (problem,) = check(staged(DECLARED, ""))
    assert problem.element == "variants[0]"
    assert "variant `small`" in problem.message
    assert "[signatures.NAME" in (problem.hint or "")


def test_many_signatures_are_not_all_compared_with_each_other(staged: Build) -> None:
    release = staged()
    (declared,) = release.record.signatures.values()
    other = Signature({"z": Tensor("int8")}, {"z": Tensor("int8")})
    facts = {
        path: msgspec.structs.replace(each, signatures={f"s{n}": other for n in range(300)})
        for path, each in release.facts.items()
    }
    many = {f"t{number}": declared for number in range(300)}
    record = msgspec.structs.replace(release.record, signatures=many)
    (first, *_) = check(release._replace(facts=facts, record=record))
    assert "but the file says absent" in first.message
