"""Models one after another: what fits is one signature, what does not names both sides."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.package.composition import Joint, connected, pipeline, problems, stage_count, stages
from modelshelf.package.entry import Entry
from modelshelf.package.record import Dependency, DependencyKind
from modelshelf.package.signature import ANY_SIZE, Interval, Signature, Tensor

Shape = tuple[int | str | None, ...]


def side(text: str) -> dict[str, Tensor]:
    """`x: N 3, mask?: N` as float32 tensors; `*` is an unknown rank."""
    found = {}
    for part in filter(None, text.split(",")):
        name, sizes = (each.strip() for each in part.split(":"))
        shape: Shape | None = tuple(
            None if size == "?" else int(size) if size.isdigit() else size for size in sizes.split()
        )
        found[name.rstrip("?")] = Tensor(
            "float32", None if sizes == "*" else shape, optional=name.endswith("?")
        )
    return found


def signature(text: str, **symbols: Interval) -> Signature:
    inputs, outputs = text.split("->")
    return Signature(side(inputs), side(outputs), symbols=symbols)


def join(up: str | Signature, down: str | Signature, **wiring: str) -> Joint:
    both = [signature(each) if isinstance(each, str) else each for each in (up, down)]
    return connected(both[0], both[1], wiring, names=("a/up.f", "a/down.g"))


@pytest.mark.parametrize(
    ("up", "down", "whole"),
    [
        ("x: N -> y: N 3", "y: batch 3 -> z: batch", "x: N -> z: N"),
        ("x: N -> y: N 3", "x: M C -> z: M C", "x: N -> z: N 3"),
        ("x: N -> y: N", "y: 8 -> z: 8", "x: 8 -> z: 8"),
        ("x: 8 -> y: 8", "y: N -> z: N 2", "x: 8 -> z: 8 2"),
        ("x: A, w: B -> p: A, q: B", "p: N, q: N -> z: N", "x: A, w: A -> z: A"),
        ("x: N -> y: N", "y: N, m: K -> z: N K", "x: N, m: K -> z: N K"),
        ("x: N K -> y: N", "y: K -> z: K", "x: N K -> z: N"),
        ("x: N -> y: K", "y: N M -> z: N", None),
        ("x: N -> y: *", "y: N M -> z: N", "x: N -> z: N_2"),
        ("x: N -> y: ? 3", "y: N M -> z: N M", "x: N -> z: N_2 3"),
        ("x: N -> y: N", "y: K, x: K -> z: K", "x: N, down_x: N -> z: N"),
        ("x: N -> y: N", "y: K, m?: 4 K -> z: K", "x: N, m?: 4 N -> z: N"),
        ("x: N -> y: K", "y: 8 -> z: 8", "x: N -> z: 8"),
        ("x: A, w: B -> p: A, q: B", "p: 3, q: 4 -> z: 1", "x: 3, w: 4 -> z: 1"),
    ],
)
def test_the_whole_is_one_signature(up: str, down: str, whole: str | None) -> None:
    found = join(up, down)
    if whole is None:
        assert found.problems
    else:
        assert found.problems == ()
        assert str(found.signature) == str(signature(whole))


@pytest.mark.parametrize(
    ("up", "down", "wiring", "words"),
    [
        ("x: N -> y: N 3", "y: N 4 -> z: N", {}, ("a/up.f.y is float32[N, 3]", "a/down.g.y takes float32[N, 4]", "3 and must be 4")),
        ("x: N -> y: N", "y: N 1 -> z: N", {}, ("float32[N]", "float32[N, 1]", "number of axes")),
        ("x: N -> p: 3, q: 4", "p: N, q: N -> z: N", {}, ("float32[4]", "float32[N]", "must be 3 (`N`)")),
        ("x: N -> p: N, q: 4 N", "p: M, q: M 3 -> z: M", {}, ("a size is 4 (`N`) and must be 3",)),
        ("x: N -> p: A, q: B", "p: M, q: M -> z: M", {}, ("`B` and `A` can differ",)),
        ("x: N -> p: A, q: N", "p: M, q: M -> z: M", {}, ()),
        ("x: N -> p: N, q: N", "y: N -> z: N", {}, ("nothing that a/up.f puts out (p:", "a/down.g takes (y:")),
        ("x: N -> p: N", "y: N -> z: N", {"q": "y"}, ("a/up.f has no output `q`",)),
        ("x: N -> p: N", "y: N -> z: N", {"p": "w"}, ("a/down.g has no input `w`",)),
        ("x: N -> p: N, q: N", "y: N -> z: N", {"p": "y", "q": "y"}, ("a/down.g.y is given twice", "a/up.f.q")),
        ("x: N -> y?: N", "y: N -> z: N", {}, ("may be absent",)),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_both_sides(
    up: str, down: str, wiring: dict[str, str], words: tuple[str, ...]
) -> None:
    told = [message for _, message in join(up, down, **wiring).problems]
    if words:
        assert len(told) == 1
    for word in words:
        assert word in told[0]


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        (Interval(1, 8), Interval(4, 16), Interval(4, 8)),
        (Interval(0, None, 4), Interval(0, None, 6), Interval(0, None, 12)),
        (Interval(1, None, 4), Interval(3, 40, 6), Interval(9, 40, 12)),
        (Interval(5), ANY_SIZE, Interval(5)),
        (Interval(1, 8), Interval(9), None),
        (Interval(0, None, 4), Interval(1, None, 2), None),
        (Interval(0, 8, 4), Interval(8), 8),
    ],
)
def test_bounds_meet(mine: Interval, theirs: Interval, both: Interval | int | None) -> None:
    found = join(signature("x: N -> y: N", N=mine), signature("y: M -> z: M", M=theirs))
    if both is None:
        ((_, message),) = found.problems
        assert f"`N` in {mine} and must be `M` in {theirs}" in message
    elif isinstance(both, int):
        assert found.signature.inputs["x"].shape == (both,)
    else:
        assert found.problems == ()
        assert found.signature.symbols == ({"N": both} if both != ANY_SIZE else {})


@given(
    *[st.builds(Interval, st.integers(0, 9), st.integers(0, 30) | st.none(), st.integers(1, 6))] * 2
)
def test_what_meets_is_in_both(one: Interval, other: Interval) -> None:
    met = one.meet(other)
    for size in range(80):
        assert (met is not None and size in met) == (size in one and size in other)


@pytest.mark.parametrize(
    ("field", "mine", "theirs"),
    [
        ("dtype", "float32", "float64"),
        ("layout", "NCHW", "NHWC"),
        ("colors", "RGB", "BGR"),
        ("range", (0.0, 1.0), (0.0, 255.0)),
        ("mean", (0.5,), (0.4,)),
        ("sample_rate", 16000, 22050),
        ("meaning", "spectrogram", "image"),
        ("space", "a", "b"),
    ],
)
def test_values_mean_the_same_on_both_sides(field: str, mine: object, theirs: object) -> None:
    def one(value: object) -> Tensor:
        fields: dict[str, Any] = {"dtype": "float32", field: value}
        return Tensor(**fields)

    plain = {"x": Tensor("int8")}
    for value, fits in [(theirs, False), (mine, True), (None, True)]:
        if value is None and field == "dtype":
            continue
        down = {"y": Tensor("float32") if value is None else one(value)}
        found = join(Signature(plain, {"y": one(mine)}), Signature(down, plain))
        assert (found.problems == ()) is fits


# Sizes of the caller alone: then the whole accepts exactly what runs through both.

shapes = st.lists(st.sampled_from(["A", "B", 1, 2]), min_size=1, max_size=2).map(tuple)
intervals = st.sampled_from([Interval(1, 2), Interval(0, 2, 2), Interval(1, 1), Interval(0, 2)])
BOUNDED = Interval(0, 2)


def sizes_of(of: Signature) -> list[dict[str, int]]:
    """All that the symbols may be, small sizes only."""
    choices = [[n for n in range(3) if n in of.symbols.get(name, BOUNDED)] for name in "AB"]
    return [dict(zip("AB", chosen, strict=True)) for chosen in itertools.product(*choices)]


def shown(tensors: dict[str, Tensor], sizes: dict[str, int]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(sizes[s] if isinstance(s, str) else s for s in each.shape or () if s is not None)
        for each in tensors.values()
    )


def tensors(names: str) -> st.SearchStrategy[dict[str, Tensor]]:
    return st.tuples(*[shapes] * len(names)).map(
        lambda found: {n: Tensor("float32", s) for n, s in zip(names, found, strict=True)}
    )


bounds = st.fixed_dictionaries({"A": intervals, "B": intervals})
AB = {"both": Tensor("float32", ("A", "B"))}


@settings(max_examples=300, deadline=None)
@given(tensors("pq"), bounds, tensors("pq"), bounds, tensors("z"))
def test_the_whole_accepts_what_runs_through_both(
    put_out: dict[str, Tensor],
    mine: dict[str, Interval],
    taken: dict[str, Tensor],
    theirs: dict[str, Interval],
    last: dict[str, Tensor],
) -> None:
    up, down = Signature(AB, put_out, symbols=mine), Signature(taken, last, symbols=theirs)
    used = {size for each in taken.values() for size in each.shape or ()}
    known = {size for each in last.values() for size in each.shape or () if isinstance(size, str)}
    runs = {
        (shown(up.inputs, first), shown(last, second) if known <= used else ())
        for first, second in itertools.product(sizes_of(up), sizes_of(down))
        if shown(put_out, first) == shown(taken, second)
    }
    found = join(up, down)
    assert bool(found.problems) == (not runs)
    if runs:
        names = sorted(
            {s for each in (*found.signature.inputs.values(), *found.signature.outputs.values())
             for s in each.shape or () if isinstance(s, str)}
        )  # fmt: skip
        choices = [[n for n in range(3) if n in found.signature.symbols[name]] for name in names]
        accepted = set()
        for chosen in itertools.product(*choices):
            sizes = dict(zip(names, chosen, strict=True))
            outputs = shown(found.signature.outputs, sizes) if known <= used else ()
            accepted.add((shown(found.signature.inputs, sizes), outputs))
        assert accepted == runs


def entry(name: str, text: str, **dependencies: Dependency) -> Entry:
    """A release of `a/NAME`; dependencies are named without their publisher."""
    return Entry(
        f"a/{name}", "1.0.0", "", 1, "", "", (), (),
        dependencies={f"a/{each}": wanted for each, wanted in dependencies.items()},
        signatures={"run": signature(text)} if text else {},
    )  # fmt: skip


def needs(kind: DependencyKind, **fields: Any) -> Dependency:
    return Dependency("^1.0", kind, **fields)


def found(*entries: Entry) -> tuple[Entry, Any]:
    known = {each.name: each for each in entries}
    return entries[0], lambda name, _wanted: known.get(name)


SCALE = entry("scale", "x: N 2 -> y: N 2")


def test_packages_before_and_after() -> None:
    root = entry(
        "net", "image: N 2 -> mel: N 4", scale=needs("preprocess"), vocoder=needs("pipeline"),
        other=needs("runtime"),
    )  # fmt: skip
    vocoder = entry("vocoder", "m: B 4 -> sound: B T", post=needs("pipeline"))
    post = entry("post", "sound: B T -> sound: B T")
    made = pipeline(*found(root, SCALE, vocoder, post))
    assert made.problems == ()
    assert str(made.nodes["run"].signature) == "(x: float32[N, 2]) -> (sound: float32[N, T])"
    ran = [stage.package for stage in stages(made.nodes["run"])]
    assert ran == ["a/scale", "a/net", "a/vocoder", "a/post"]


def test_two_packages_before_one() -> None:
    root = entry(
        "net", "image: N 2, text: N 3 -> y: N",
        scale=needs("preprocess", connect={"y": "image"}), words=needs("preprocess"),
    )  # fmt: skip
    words = entry("words", "x: N -> text: N 3")
    made = pipeline(*found(root, SCALE, words))
    assert made.problems == ()
    assert str(made.nodes["run"].signature) == (
        "(x: float32[N, 2], words_x: float32[N]) -> (y: float32[N])"
    )


@pytest.mark.parametrize(
    ("others", "words", "warning"),
    [
        ([entry("scale", "x: N 3 -> y: N 3")], "a/scale.run.y is float32[N, 3], but a/net.run.x takes float32[N, 2]", False),
        ([entry("scale", "x: N 2 -> y: N 2", net=needs("preprocess"))], "circle: a/net -> a/scale -> a/net", False),
        ([entry("scale", "x: N 2 -> y: N 2", more=needs("pipeline")), entry("more", "x: N 2 -> y: N 2", net=needs("pipeline"))], "circle: a/net -> a/scale -> a/more -> a/net", False),
        ([entry("scale", "x: N 2 -> y: N 2", more=needs("preprocess")), entry("more", "x: N -> y: N")], "a/more.run.y is float32[N], but a/scale.run.x", False),
        ([], "a/scale is not known here", True),
        ([entry("scale", "")], "a/scale has no signature", True),
    ],
)  # fmt: skip
def test_what_keeps_a_pipeline_from_running(others: list[Entry], words: str, warning: bool) -> None:
    root, find = found(entry("net", "x: N 2 -> y: N 2", scale=needs("preprocess")), *others)
    (problem,) = problems(root, find)
    assert words in problem.message
    assert (problem.warning, problem.element) == (warning, "dependencies.a/scale")
    assert pipeline(root, find).nodes == {}


def test_a_signature_that_is_not_there() -> None:
    root = entry("net", "x: N 2 -> y: N 2", scale=needs("preprocess", signature="rum"))
    (problem,) = problems(*found(root, SCALE))
    assert "no signature `rum`: did you mean `run`?" in problem.message


def test_a_package_that_tells_no_signature() -> None:
    (problem,) = problems(*found(entry("net", "", scale=needs("preprocess")), SCALE))
    assert "a/net has no signature" in problem.message
    assert problem.warning


def test_one_package_after_another() -> None:
    root = entry("net", "x: N 2 -> y: N 2", scale=needs("pipeline"), more=needs("pipeline"))
    told = problems(*found(root, SCALE, entry("more", "x: N 2 -> y: N 2")))
    assert "into one package, not into a/scale and a/more" in told[0].message


def test_a_signature_that_fits_is_enough() -> None:
    root = msgspec.structs.replace(
        entry("net", "", scale=needs("preprocess")),
        signatures={"one": signature("x: N 3 -> y: N"), "two": signature("x: N 2 -> y: N")},
    )
    made = pipeline(*found(root, SCALE))
    assert list(made.nodes) == ["two"]
    assert [each.warning for each in made.problems] == [True]


def test_pipelines_end() -> None:
    def level(number: int) -> Entry:
        after = {f"{side}{number + 1}": needs("preprocess") for side in "lr"}
        return entry(f"l{number}", "x: N, y: N -> x: N, y: N", **after)

    known = {f"a/l{number}": level(number) for number in range(40)}
    told = problems(known["a/l0"], lambda name, _: known.get(name.replace("/r", "/l")))
    assert f"more than {stage_count} models" in " ".join(each.message for each in told)
