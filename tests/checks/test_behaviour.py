"""Golden cases compared as files: the same, beyond tolerance, or nobody can tell."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import ArrayLike

from modelshelf.checks.behaviour import compared, moved, outcome, shown
from modelshelf.checks.contract import Array, Contract, Example
from modelshelf.checks.diff import Pair
from modelshelf.checks.matched import variants
from tests.checks.semver.pairs import Patch, patched

CASE = "/record/golden/0"
OUT: Patch = {"/files/out.npz/sha256": "other"}
NAN, INF = float("nan"), float("inf")


def array(values: ArrayLike, dtype: str = "float32") -> Array:
    made = np.asarray(values, np.dtype(dtype).newbyteorder("<"))
    return Array(dtype, made.shape, made.tobytes())


def giving(contract: Contract, **outputs: Array) -> Contract:
    inputs = contract.golden["pair"].inputs
    return msgspec.structs.replace(contract, golden={"pair": Example(inputs, outputs)})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (array([1, 2]), array([1, 2]), "same"),
        (array([1, 2]), array([1, 2.009]), "same"),
        (array([1, 2]), array([1, 2.011]), "drift"),
        (array([NAN, INF]), array([NAN, INF]), "same"),
        (array([1, 2]), array([1, NAN]), "drift"),
        (array([1, INF]), array([1, -INF]), "drift"),
        (array([1, INF]), array([1, 5]), "drift"),
        (array([1, 2]), array([1, INF]), "drift"),
        (array([1, 2]), array([[1, 2]]), "drift"),
        (array([1, 2]), array([1, 2], "float64"), "same"),
        (array([1, 2], "int64"), array([1, 3], "int64"), "drift"),
        (array([True], "bool"), array([False], "bool"), "drift"),
        (array([1j], "complex64"), array([2j], "complex64"), "drift"),
        (array(["a"], "<U1"), array(["b"], "<U1"), "drift"),
        (array([], "float32"), array([], "float32"), "same"),
        (array([1]), Array("float32", (9,), b""), "unknown"),
        (array([1]), Array("nonsense", (1,), bytes(4)), "unknown"),
    ],
)  # fmt: skip
def test_outputs(before: Array, after: Array, expected: str) -> None:
    old, new = giving(patched(), y=before), giving(patched(OUT), y=after)
    assert compared(Pair(old, new), old.record.golden[0]).outcome == expected


@pytest.mark.parametrize(("value", "expected"), [(104, "same"), (106, "drift")])
def test_the_old_tolerance_counts(value: float, expected: str) -> None:
    old = giving(patched({f"{CASE}/relative": 0.05}), y=array([100]))
    new = giving(patched(OUT, {f"{CASE}/relative": 1.0}), y=array([value]))
    assert compared(Pair(old, new), old.record.golden[0]).outcome == expected


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({}, "same"),
        (OUT, "same"),
        ({**OUT, "/golden": {}}, "unknown"),
        ({"/golden": {}}, "same"),
        ({f"{CASE}": None}, "unknown"),
        ({f"{CASE}/signature": "embed"}, "unknown"),
        ({"/golden/pair/inputs/image/dtype": "int32", "/files/in.npz/sha256": "other"}, "unknown"),
        ({**OUT, "/golden/pair/outputs": {}}, "unknown"),
    ],
)
def test_what_can_be_compared(patch: Patch, expected: str) -> None:
    old, new = patched(), patched(patch)
    assert compared(Pair(old, new), old.record.golden[0]).outcome == expected


@pytest.mark.parametrize(
    ("patch", "small", "large"),
    [
        ({}, "same", "unknown"),
        ({f"{CASE}/variants": ["large"]}, "unknown", "unknown"),
        ({**OUT, "/golden/pair/outputs/scores/data": "AAAAAAAAAAAAAAAA"}, "drift", "unknown"),
    ],
)
def test_each_variant_has_its_cases(patch: Patch, small: str, large: str) -> None:
    pair = Pair(patched(), patched(patch))
    assert [outcome(pair, each) for each in variants(pair)] == [small, large]


@pytest.mark.parametrize(
    ("patch", "names"),
    [
        ({}, ()),
        ({"/files/small.onnx/sha256": "other"}, ("onnx, float32",)),
        ({"/files/small.safetensors/sha256": "other"}, ()),
        ({"/files/small.safetensors/weights": "other"}, ("safetensors, float32",)),
        ({"/facts/small.safetensors/tensors/0/name": "other"}, ("safetensors, float32",)),
        ({"/files/small.safetensors": None}, ("safetensors, float32",)),
        ({"/record/variants/0/artifacts/1": None}, ()),
        ({"/record/variants/0/artifacts/0/precision": "int8"}, ("onnx, float32 before",)),
    ],
)
def test_what_counts_as_other_weights(patch: Patch, names: tuple[str, ...]) -> None:
    pair = Pair(patched(), patched(patch))
    assert moved(pair, next(variants(pair))) == names


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        ({"format": "safetensors"}, False),
        ({"format": "pytorch", "code": ["collections.OrderedDict", "torch.FloatStorage"]}, True),
        ({"format": "gguf"}, True),
        ({"format": "torchscript", "code": ["code/model.py"]}, True),
        ({"format": "npz"}, True),
    ],
)
def test_bytes_around_tensors_count_where_they_compute(facts: Patch, counts: bool) -> None:
    known = {"/facts/small.safetensors": {"framework": "any", **facts}}
    pair = Pair(patched(known), patched(known, {"/files/small.safetensors/sha256": "other"}))
    assert bool(moved(pair, next(variants(pair)))) is counts


@pytest.mark.parametrize(
    ("signature", "output", "expected"),
    [("classify", "scores", "same"), ("classify", "count", "unknown"), ("embed", "vector", "unknown")],
)  # fmt: skip
def test_a_case_shows_only_its_own_outputs(signature: str, output: str, expected: str) -> None:
    pair = Pair(patched(), patched())
    assert shown(pair, next(variants(pair)), signature, output) == expected
