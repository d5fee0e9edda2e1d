"""Signatures: as they are written, and where two of them disagree."""

from __future__ import annotations

import pytest

from modelshelf.package.signature import (
    ANY_SIZE,
    DTYPES,
    Dimension,
    Interval,
    Signature,
    Tensor,
    disagreement,
    element_count,
)

Shape = tuple[Dimension, ...] | None


def _one(shape: Shape, dtype: str = "float32") -> Signature:
    return Signature({"x": Tensor(dtype, shape)}, {"y": Tensor("float32", ("n",))})


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor("float32", ("batch", 1, 8, 8)), "float32[batch, 1, 8, 8]"),
        (Tensor("int64", (None, 3)), "int64[?, 3]"),
        (Tensor("bool", ()), "bool[]"),
        (Tensor("string"), "string[...]"),
    ],
)
def test_a_tensor_is_written(tensor: Tensor, text: str) -> None:
    assert str(tensor) == text


def test_a_signature_is_written() -> None:
    inputs = {"x": Tensor("float32", (1,)), "mask": Tensor("bool", (1,), optional=True)}
    signature = Signature(inputs, {"y": Tensor("float32", ())})
    assert str(signature) == "(x: float32[1], mask?: bool[1]) -> (y: float32[])"


@pytest.mark.parametrize(
    ("declared", "read", "agree"),
    [
        (("batch", 2), ("batch", 2), True),
        (("batch", 2), ("N", 2), True),
        (("batch", 2), (None, 2), True),
        (("batch", 2), (None, None), True),
        (("batch", 2), None, True),
        (None, None, True),
        ((None, 2), ("N", 2), True),
        ((), (), True),
        ((1, 2), (1, 2), True),
        ((1, 2), ("N", 2), False),
        (("batch", 2), (1, 2), False),
        (("batch", 2), ("batch", 3), False),
        (("batch", 2), ("batch",), False),
        ((None, 2), (1, 2), False),
        (None, (1, 2), False),
        ((), (1,), False),
    ],
)
def test_where_shapes_agree(declared: Shape, read: Shape, agree: bool) -> None:
    found = disagreement(_one(declared), _one(read))
    expected = [("inputs.x", str(Tensor("float32", declared)), str(Tensor("float32", read)))]
    assert found == ([] if agree else expected)


@pytest.mark.parametrize(
    ("declared", "read", "told"),
    [
        (Interval(1, 8), Interval(1, 8), None),
        (Interval(2, 4), Interval(1, 8), None),
        (Interval(4, 8, 4), Interval(0, None, 4), None),
        (Interval(0, 9), Interval(1, 8), ("`n` in 0..9", "`s0` in 1..8")),
        (ANY_SIZE, Interval(1, 8), ("`n` in 0..", "`s0` in 1..8")),
        (Interval(1, 8), ANY_SIZE, None),
    ],
)
def test_inputs_are_within_the_bounds_of_the_file(
    declared: Interval, read: Interval, told: tuple[str, str] | None
) -> None:
    def one(name: str, interval: Interval) -> Signature:
        tensors = {"x": Tensor("int8", (name, 2))}
        return Signature(tensors, tensors, symbols={name: interval})

    found = disagreement(one("n", declared), one("s0", read))
    expected = [("inputs.x", f"int8[n, 2], {told[0]}", f"int8[s0, 2], {told[1]}")] if told else []
    assert found == expected


@pytest.mark.parametrize(
    ("declared", "read", "agree"),
    [
        (("n", "n"), ("s", "s"), True),
        (("n", "n"), ("s", "t"), True),
        (("n", "m"), ("s", "t"), True),
        (("n", "m"), ("s", "s"), False),
        ((None, "m"), ("s", "s"), True),
    ],
)
def test_sizes_that_the_file_wants_equal(declared: Shape, read: Shape, agree: bool) -> None:
    def one(shape: Shape) -> Signature:
        return Signature({"x": Tensor("int8", shape)}, {"y": Tensor("int8", shape)})

    found = disagreement(one(declared), one(read))
    assert found == (
        [] if agree else [("inputs.x", "int8[n, m], `n` and `m`", "int8[s, s], both `s`")]
    )


def test_types_must_be_equal() -> None:
    assert disagreement(_one((1,), "float64"), _one((1,))) == [
        ("inputs.x", "float64[1]", "float32[1]")
    ]


def test_names_that_one_side_lacks() -> None:
    declared = Signature({"image": Tensor("float32", (1,))}, {"y": Tensor("float32", (1,))})
    read = Signature(
        {"x": Tensor("float32", (1,))}, {"y": Tensor("float32", (1,)), "z": Tensor("bool")}
    )
    assert disagreement(declared, read) == [
        ("inputs.image", "float32[1]", "absent"),
        ("inputs.x", "absent", "float32[1]"),
        ("outputs.z", "absent", "bool[...]"),
    ]


def test_the_order_of_names_does_not_matter() -> None:
    tensors = {"a": Tensor("bool"), "b": Tensor("int8")}
    other = dict(reversed(tensors.items()))
    assert disagreement(Signature(tensors, other), Signature(other, tensors)) == []


@pytest.mark.parametrize(("shape", "count"), [((), 1), ((0, 5), 0), ((2, 3, 4), 24)])
def test_element_count(shape: tuple[int, ...], count: int) -> None:
    assert element_count(shape) == count


def test_dtypes_are_named_once() -> None:
    assert len(set(DTYPES)) == len(DTYPES)


@pytest.mark.parametrize(
    ("side", "said", "read", "places"),
    [
        ("inputs", True, False, ["inputs.x"]),
        ("inputs", False, True, []),
        ("outputs", False, True, ["outputs.x"]),
        ("outputs", True, False, []),
    ],
)
def test_what_is_needed_is_not_optional(
    side: str, said: bool, read: bool, places: list[str]
) -> None:
    tensors = ({"x": Tensor("float32", optional=each)} for each in (said, read))
    declared, extracted = (
        Signature(each, {}) if side == "inputs" else Signature({}, each) for each in tensors
    )
    assert [place for place, _, _ in disagreement(declared, extracted)] == places
