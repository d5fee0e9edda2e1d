"""Levels as a whole: more changes never ask for less, and what is compatible accepts old calls."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.checks.contract import Array, Contract, Example
from modelshelf.checks.diff import diff, lints, next_version, suffices
from modelshelf.package.entry import LEVELS, Level
from modelshelf.package.record import Golden
from modelshelf.package.signature import ANY_SIZE, Dimension, Interval, Signature, Tensor
from modelshelf.package.subtype import additions, breaks
from modelshelf.package.version import Version
from modelshelf.serve.call import checked_inputs
from tests.checks.semver.pairs import Patch, fixtures, patched, places

names = st.sampled_from(sorted(fixtures()))


def independent(one: str, other: str) -> bool:
    """Whether two fixtures touch nothing of each other: no place lies within another one's.

    What both make of the old release in the same way stands in nobody's way.
    """
    first, second = fixtures()[one], fixtures()[other]
    shared = {pointer for pointer in first.old if first.old.get(pointer) == second.old.get(pointer)}
    mine, theirs = (
        places([{p: v for p, v in each.old.items() if p not in shared}, each.new])
        for each in (first, second)
    )
    return not any(a == b[: len(a)] or b == a[: len(b)] for a, b in itertools.product(mine, theirs))


@st.composite
def nested_changes(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Some changes and more changes, all independent of each other."""
    more: list[str] = []
    for name in draw(st.lists(names, min_size=1, max_size=8, unique=True)):
        if all(independent(name, other) for other in more):
            more.append(name)
    some = [name for name in more if draw(st.booleans())]
    return some, more


def merged(patches: list[Patch]) -> Patch:
    return {pointer: value for patch in patches for pointer, value in patch.items()}


@settings(max_examples=200, deadline=None)
@given(nested_changes())
def test_more_changes_never_ask_for_less(changes: tuple[list[str], list[str]]) -> None:
    some, more = changes
    old = merged([fixtures()[name].old for name in more])
    levels = [
        diff(patched(old), patched(old, *(fixtures()[name].new for name in each))).level
        for each in (some, more)
    ]
    assert LEVELS.index(levels[0]) <= LEVELS.index(levels[1])


@pytest.mark.parametrize("name", fixtures())
def test_what_is_the_same_has_no_findings(name: str) -> None:
    fixture = fixtures()[name]
    same = patched(fixture.old, fixture.new)
    found = diff(same, same)
    assert (found.findings, found.level, found.axes, found.unverified) == ((), "patch", (), False)


@settings(max_examples=100, deadline=None)
@given(names, names)
def test_the_level_is_that_of_the_largest_finding(one: str, other: str) -> None:
    old, new = (patched(fixtures()[name].old, fixtures()[name].new) for name in (one, other))
    found = diff(old, new)
    levels = [LEVELS.index(finding.level) for finding in found.findings]
    assert levels == sorted(levels, reverse=True)
    assert LEVELS.index(found.level) == max(levels, default=0)
    assert {each.axis for each in found.findings} - {None} == set(found.axes)


versions = st.tuples(*[st.integers(0, 3)] * 3).map(lambda numbers: Version(*numbers))


@settings(deadline=None)
@given(versions, st.sampled_from(LEVELS))
def test_the_next_version_is_the_smallest_that_suffices(old: Version, level: Level) -> None:
    right = Version.parse(next_version(str(old), level))
    assert suffices(str(old), str(right), level)
    every = [Version(a, b, c) for a, b, c in itertools.product(range(5), repeat=3)]
    smaller = [str(each) for each in every if old < each < right]
    assert not any(suffices(str(old), each, level) for each in smaller)


# Signatures and arrays that one accepts, without the rules of subtyping.

sizes: st.SearchStrategy[Dimension] = st.sampled_from(["n", "m", 1, 2, 3, None])
shapes = st.lists(sizes, max_size=3).map(tuple) | st.none()
bounds = st.dictionaries(st.sampled_from("nm"), st.sampled_from([Interval(1, 4), Interval(2, 3)]))
tensors = st.builds(
    Tensor, st.sampled_from(["float32", "float32", "int64"]), shapes, optional=st.booleans()
)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    inputs = draw(st.dictionaries(st.sampled_from("abc"), tensors, min_size=1, max_size=3))
    output = Tensor("float32", ("n",))
    return Signature(inputs, {"y": output}, symbols=draw(bounds))


@st.composite
def changed(draw: st.DrawFn, old: Signature) -> Signature:
    """`old` with a few things otherwise."""
    inputs = dict(old.inputs)
    for name in draw(st.lists(st.sampled_from("abc"), max_size=2)):
        before = inputs.pop(name, None)
        what = draw(st.sampled_from(["gone", "new", "free", "optional", "other sizes"]))
        if what == "new" or (before is None and what != "gone"):
            inputs[name] = draw(tensors)
        elif before is not None and what == "free":
            inputs[name] = msgspec.structs.replace(before, shape=None)
        elif before is not None and what == "optional":
            inputs[name] = msgspec.structs.replace(before, optional=True)
        elif before is not None and before.shape and what == "other sizes":
            swap = {draw(sizes): draw(sizes)}
            shape = tuple(swap.get(size, size) for size in before.shape)
            inputs[name] = msgspec.structs.replace(before, shape=shape)
    symbols = draw(st.just(old.symbols) | bounds | st.just({}))
    return msgspec.structs.replace(old, inputs=inputs or old.inputs, symbols=symbols)


@st.composite
def arrays(draw: st.DrawFn, of: Signature) -> dict[str, np.ndarray]:
    """Arrays that the signature accepts."""
    chosen = {
        symbol: draw(st.integers(0, 6).filter(of.symbols.get(symbol, ANY_SIZE).__contains__))
        for symbol in "nm"
    }
    found = {}
    for name, tensor in of.inputs.items():
        if tensor.optional and draw(st.booleans()):
            continue
        pattern = draw(shapes.filter(bool)) if tensor.shape is None else tensor.shape
        shape = [
            size if isinstance(size, int) else chosen[size] if size else draw(st.integers(0, 3))
            for size in pattern or ()
        ]
        found[name] = np.ones(shape, tensor.dtype)
    return found


def release(signature: Signature, inputs: dict[str, np.ndarray]) -> Contract:
    """A release whose golden set is one call with these inputs."""
    base = patched()
    held = {
        name: Array(each.dtype.name, each.shape, each.tobytes()) for name, each in inputs.items()
    }
    outputs = {"y": Array("float32", (1,), bytes(4))}
    record = msgspec.structs.replace(
        base.record, signatures={"call": signature}, golden=(Golden("one", "in.npz", "out.npz"),)
    )
    return msgspec.structs.replace(base, record=record, golden={"one": Example(held, outputs)})


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_what_is_compatible_accepts_every_old_golden_input(data: st.DataObject) -> None:
    before = data.draw(signatures())
    after = data.draw(changed(before))
    inputs = data.draw(arrays(before))
    checked_inputs({"call": before}, None, inputs, "the old release")
    found = diff(release(before, inputs), release(after, inputs))
    assert {each.rule for each in (*breaks(before, after), *additions(before, after))} <= set(
        lints()
    )
    if found.level != "major":
        checked_inputs({"call": after}, None, inputs, "the new release")
