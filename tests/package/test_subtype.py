"""Signatures as types: the rules by example, and against what concrete arrays show."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.package.signature import ANY_SIZE, Interval, Signature, Tensor
from modelshelf.package.subtype import additions, breaks

Shape = tuple[int, ...]
SIZES = range(3)


def signature(text: str, **symbols: Interval) -> Signature:
    """`N 224 224 3 -> N 1000`: inputs a, b, ... and outputs y, z, ..., parted by commas."""
    sides = [side.split(",") for side in text.split("->")]
    named = [
        {name: Tensor("float32", shape(part)) for name, part in zip(names, side, strict=False)}
        for names, side in zip(("abcd", "yzwv"), sides, strict=True)
    ]
    return Signature(named[0], named[1], symbols=symbols)


def shape(text: str) -> tuple[int | str | None, ...] | None:
    if text.strip() == "*":
        return None
    return tuple(
        None if part == "?" else int(part) if part.isdigit() else part for part in text.split()
    )


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("N 224 224 3 -> N 1000", "N H W 3 -> N 1000", []),
        ("N 224 224 3 -> N 1000", "N H W 3 -> N H W 1000", ["output-shape-changed"]),
        ("N 224 224 3 -> N 224 224 1000", "N H W 3 -> N H W 1000", []),
        ("A, B -> 1", "N, N -> 1", ["input-shape-narrowed"]),
        ("N, N -> N", "A, B -> A", []),
        ("N, N -> N", "A, B -> B", []),
        ("A, B -> A", "C, D -> D", ["output-shape-changed"]),
        ("N 3 -> N", "batch 3 -> batch", []),
        ("N 3 -> N", "8 3 -> 8", ["input-shape-narrowed", "output-shape-changed"]),
        ("N 3 -> N", "N 4 -> N", ["input-shape-narrowed"]),
        ("N 3 -> N", "N 3 1 -> N", ["input-shape-narrowed"]),
        ("? -> 1", "N -> 1", []),
        ("?, ? -> 1", "N, N -> 1", ["input-shape-narrowed"]),
        ("? -> 1", "? -> ?", ["output-shape-changed"]),
        ("N -> ?", "N -> N", []),
        ("N -> *", "N -> N 4", []),
        ("N -> N 4", "N -> *", ["output-shape-changed"]),
        ("* -> 1", "N -> 1", ["input-shape-narrowed"]),
        ("N -> 1", "* -> 1", []),
        ("N -> K 4", "N -> boxes 4", []),
        ("N -> K 4", "N -> 10 4", []),
        ("N -> 10 4", "N -> K 4", ["output-shape-changed"]),
        ("N -> K, K", "N -> K, L", ["output-shape-changed"]),
        ("N -> K, L", "N -> K, K", []),
        ("N -> N", "N -> K", ["output-shape-changed"]),
        ("N -> 1", "N, M -> 1", ["input-required-added"]),
        ("N, M -> 1", "N -> 1", ["input-removed"]),
        ("N -> 1, 2", "N -> 1", ["output-removed"]),
        ("N -> 1", "N -> 1, 2", []),
    ],
)
def test_shapes(old: str, new: str, rules: list[str]) -> None:
    assert [each.rule for each in breaks(signature(old), signature(new))] == rules


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        (Interval(32, 64, 32), Interval(32, 512, 32), True),
        (Interval(32, 512, 32), Interval(32, 64, 32), False),
        (Interval(0, None, 4), Interval(0, None, 2), True),
        (Interval(0, None, 2), Interval(0, None, 4), False),
        (Interval(2, None, 4), Interval(0, None, 4), False),
        (ANY_SIZE, Interval(1), False),
        (Interval(7, 7), Interval(7, 7), True),
    ],
)
def test_intervals(old: Interval, new: Interval, fits: bool) -> None:
    found = breaks(signature("N -> 1", N=old), signature("M -> 1", M=new))
    assert (found == []) is fits


def test_a_witness_is_a_call() -> None:
    old = signature("N 3, N -> N", N=Interval(1))
    (first, *_) = breaks(old, signature("8 3, N -> N"))
    assert first.witness == "a: float32[2, 3], b: float32[2]"


@pytest.mark.parametrize(
    ("field", "had", "has", "rule"),
    [
        ("layout", "NCHW", "NHWC", "layout-changed"),
        ("colors", "RGB", "BGR", "colors-changed"),
        ("range", (0.0, 1.0), (0.0, 255.0), "range-changed"),
        ("mean", (0.5,), (0.4,), "normalisation-changed"),
        ("std", (0.5,), (), "normalisation-changed"),
        ("sample_rate", 16000, 44100, "sample-rate-changed"),
        ("meaning", "image", None, "meaning-changed"),
        ("dtype", "float32", "float64", "-dtype-changed"),
    ],
)
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_what_values_mean_does_not_change(
    side: str, field: str, had: object, has: object, rule: str
) -> None:
    def made(value: object) -> Signature:
        fields: dict[str, Any] = {"dtype": "float32", "shape": ("N",), field: value}
        sides = {"inputs": {"x": Tensor("int8")}, "outputs": {"x": Tensor("int8")}}
        return Signature(**(sides | {side: {"x": Tensor(**fields)}}))  # type: ignore[arg-type]

    (found,) = breaks(made(had), made(has))
    assert found.rule.endswith(rule)
    assert found.place == f"{side}.x"
    if field != "dtype" and not has:
        assert breaks(made(has), made(had)) == []
        assert [each.rule for each in additions(made(has), made(had))] == ["meaning-stated"]


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("N 3 -> N", "M 3 -> M", []),
        ("8 3 -> 1", "N 3 -> 1", ["input-widened"]),
        ("N, N -> 1", "A, B -> 1", ["input-widened"]),
        ("N -> 1", "* -> 1", ["input-widened"]),
        ("N -> 1", "N -> 1, 2", ["output-added"]),
    ],
)
def test_additions(old: str, new: str, rules: list[str]) -> None:
    assert [each.rule for each in additions(signature(old), signature(new))] == rules


def test_optional_inputs() -> None:
    def with_mask(*, optional: bool) -> Signature:
        mask = Tensor("bool", ("N",), optional=optional)
        return Signature({"x": Tensor("float32", ("N",)), "mask": mask}, {"y": Tensor("float32")})

    bare = Signature({"x": Tensor("float32", ("N",))}, {"y": Tensor("float32")})
    needed, optional = with_mask(optional=False), with_mask(optional=True)
    assert breaks(bare, optional) == []
    assert [each.rule for each in additions(bare, optional)] == ["input-optional-added"]
    assert breaks(needed, optional) == []
    (found,) = breaks(optional, needed)
    assert (found.rule, found.witness) == ("input-required-added", "x: float32[2]")


# What follows knows nothing of the rules: it looks at arrays of all small sizes.

sizes = st.sampled_from(["A", "B", "A", "B", 1, 2, None])
shapes = st.lists(sizes, min_size=1, max_size=2).map(tuple)
swaps: st.SearchStrategy[dict[object, int | str | None]] = st.sampled_from(
    [{"A": "B"}, {"B": "A"}, {"A": "B"}, {"B": "A"}, {"A": 1}, {1: "A"}, {"A": None}, {2: 1}]
)
intervals = st.sampled_from(
    [Interval(1, 2), Interval(0, 2, 2), Interval(1), Interval(2, 2), ANY_SIZE]
)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    def side(names: str) -> dict[str, Tensor]:
        given = names[: draw(st.integers(1, 2))]
        unknown = draw(st.integers(0, 9)) == 0
        return {name: Tensor("float32", None if unknown else draw(shapes)) for name in given}

    symbols = draw(st.dictionaries(st.sampled_from("AB"), intervals, max_size=2))
    return Signature(side("ab"), side("yz"), symbols=symbols)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Signature, Signature]:
    """A signature and one that differs from it in a few sizes, so that many can stand in."""
    old = draw(signatures())
    swap = draw(swaps)

    def moved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: Tensor(
                "float32", each.shape and tuple(swap.get(size, size) for size in each.shape)
            )
            for name, each in tensors.items()
        }

    symbols = old.symbols if draw(st.booleans()) else {}
    inputs = moved(old.inputs) if draw(st.booleans()) else old.inputs
    return old, Signature(inputs, moved(old.outputs), symbols=symbols)


def instances(tensor: Tensor, ranks: range = range(3)) -> Iterator[tuple[Shape, dict[str, int]]]:
    """Every small shape of `tensor` with what its symbols stand for in it."""
    patterns = [tensor.shape] if tensor.shape is not None else [(None,) * rank for rank in ranks]
    for pattern in patterns:
        choices = [[size] if isinstance(size, int) else list(SIZES) for size in pattern]
        for found in itertools.product(*choices):
            bound: dict[str, int] = {}
            named = [
                (size, at) for size, at in zip(pattern, found, strict=True) if isinstance(size, str)
            ]
            if all(bound.setdefault(size, at) == at for size, at in named):
                yield found, bound


def bindings(of: Signature, side: str, known: dict[str, int]) -> Iterator[tuple[dict[str, Shape], dict[str, int]]]:  # fmt: skip
    """Every way to give all tensors of a side shapes that agree with `known` and each other."""
    tensors: dict[str, Tensor] = getattr(of, side)
    for chosen in itertools.product(*(list(instances(tensor)) for tensor in tensors.values())):
        bound = dict(known)
        agree = all(
            bound.setdefault(symbol, size) == size and size in of.symbols.get(symbol, ANY_SIZE)
            for _, own in chosen
            for symbol, size in own.items()
        )
        if agree:
            yield {name: each for name, (each, _) in zip(tensors, chosen, strict=True)}, bound


def accepts(of: Signature, given_shapes: dict[str, Shape]) -> dict[str, int] | None:
    """What the symbols stand for where `of` accepts the call, None where it does not."""
    if given_shapes.keys() != of.inputs.keys():
        return None
    found = (bound for each, bound in bindings(of, "inputs", {}) if each == given_shapes)
    return next(found, None)


def promises(of: Signature, bound: dict[str, int], names: set[str]) -> set[tuple[Shape, ...]]:
    return {
        tuple(each[name] for name in sorted(names)) for each, _ in bindings(of, "outputs", bound)
    }


@settings(max_examples=400, deadline=None)
@given(pairs() | st.tuples(signatures(), signatures()))
def test_what_has_no_break_can_stand_in(pair: tuple[Signature, Signature]) -> None:
    old, new = pair
    if breaks(old, new):
        return
    for given_shapes, bound in bindings(old, "inputs", {}):
        taken = accepts(new, given_shapes)
        assert taken is not None
        names = set(old.outputs)
        assert promises(new, taken, names) <= promises(old, bound, names)


@settings(max_examples=300, deadline=None)
@given(signatures(), signatures())
def test_a_witness_tells_them_apart(old: Signature, new: Signature) -> None:
    for found in breaks(old, new):
        if not found.rule.startswith("input-"):
            continue
        calls = re.findall(r"(\w+): float32\[([\d, ]*)\]", found.witness or "")
        given_shapes = {name: tuple(map(int, re.findall(r"\d+", text))) for name, text in calls}
        if any(tensor.shape is None for tensor in old.inputs.values()):
            continue  # the witness shows one rank, the new one may refuse another
        assert given_shapes.keys() == old.inputs.keys()
        clipped = max((size for each in given_shapes.values() for size in each), default=0)
        if clipped < len(SIZES):
            assert accepts(old, given_shapes) is not None
            assert accepts(new, given_shapes) is None


@settings(max_examples=200, deadline=None)
@given(signatures())
def test_every_signature_stands_in_for_itself(one: Signature) -> None:
    assert breaks(one, one) == []
    assert additions(one, one) == []


@settings(max_examples=200, deadline=None)
@given(signatures(), signatures(), signatures())
def test_standing_in_goes_on(one: Signature, two: Signature, three: Signature) -> None:
    if not breaks(one, two) and not breaks(two, three):
        assert breaks(one, three) == []
