"""Which bytes of one file come from the same tensors as those of another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.checks.kinship import beside, cast_runs, delta_runs, shared
from modelshelf.formats.spans import Span
from modelshelf.store.recipe import CAST_TIMES, Run

TENSORS = {"embed": 100, "layers.0.w": 40, "layers.1.w": 60}


def laid(tensors: dict[str, int], *, dtype: str = "bfloat16", at: int = 8) -> tuple[Span, ...]:
    """Tensors one after another, of so many bytes each."""
    spans = []
    for name, size in tensors.items():
        spans.append(Span(at, at + size, dtype, name))
        at += size
    return tuple(spans)


def under(prefix: str, *names: str) -> dict[str, int]:
    return {f"{prefix}{name}": TENSORS[name] for name in names or TENSORS}


@pytest.mark.parametrize(
    ("own", "parent", "runs"),
    [
        (laid(TENSORS), laid(TENSORS), [Run(8, 8, 200)]),
        (laid(TENSORS, at=100), laid(TENSORS), [Run(100, 8, 200)]),
        (laid(under("model.")), laid(TENSORS), [Run(8, 8, 200)]),
        (laid(under("a.b.")), laid(under("c.")), [Run(8, 8, 200)]),
        (
            laid({"embed": 100} | under("a.", "layers.0.w", "layers.1.w")),
            laid({"embed": 100} | under("b.", "layers.0.w", "layers.1.w")),
            [Run(8, 8, 200)],
        ),
        (laid(TENSORS | {"embed": 120}), laid(TENSORS), [Run(8, 8, 100), Run(128, 108, 100)]),
        (laid(TENSORS | {"embed": 80}), laid(TENSORS), [Run(8, 8, 80), Run(88, 108, 100)]),
        (laid(dict(reversed(TENSORS.items())))[:1], laid(TENSORS), [Run(8, 148, 60)]),
        (laid(TENSORS), laid(TENSORS, dtype="float16"), []),
        (laid({"": 100}), laid({"": 100}), []),
        (laid(TENSORS), laid({"others": 100}), []),
        (laid(TENSORS), (), []),
        ((), laid(TENSORS), []),
    ],
    ids=[
        "same", "elsewhere", "prefix added", "prefix changed", "prefix of some", "grown", "shrunk",
        "order", "dtype", "nameless", "others", "empty parent", "empty",
    ],
)  # fmt: skip
def test_runs_of_the_same_tensors(
    own: tuple[Span, ...], parent: tuple[Span, ...], runs: list[Run]
) -> None:
    assert list(delta_runs(own, parent)) == runs
    assert shared(runs) == sum(run.size for run in runs)


@pytest.mark.parametrize(
    ("narrow", "wide", "times", "kinds"),
    [
        ("bfloat16", "float32", 2, ["float32>bfloat16"]),
        ("float16", "float32", 2, ["float32>float16"]),
        ("bfloat16", "float32", 1, []),
        ("bfloat16", "float64", 4, []),
        ("float32", "bfloat16", 2, []),
        ("bfloat16", "bfloat16", 1, []),
    ],
)
def test_casts(narrow: str, wide: str, times: int, kinds: list[str]) -> None:
    parent = laid({name: times * size for name, size in TENSORS.items()}, dtype=wide)
    found = cast_runs(laid(TENSORS, dtype=narrow), parent)
    assert found == {kind: (Run(8, 8, 200),) for kind in kinds}


def test_what_is_beside_the_runs() -> None:
    spans = laid(TENSORS)
    assert beside(spans, ()) == spans
    assert beside(spans, [Run(8, 0, 20)]) == spans[1:]
    assert beside(spans, [Run(8, 0, 140), Run(300, 0, 5)]) == spans[2:]
    assert beside(spans, [Run(0, 0, 8)]) == spans


files = st.dictionaries(
    st.text("ab.", max_size=6), st.integers(1, 50), max_size=12
).map(laid)  # fmt: skip


@given(files, files)
def test_runs_lie_in_both_files_and_never_overlap(
    own: tuple[Span, ...], parent: tuple[Span, ...]
) -> None:
    runs = delta_runs(own, parent)
    at = 0
    for run in runs:
        assert run.start >= at
        assert run.source >= 8
        at = run.start + run.size
        assert run.source + run.size <= max(span.stop for span in parent)
    assert at <= max((span.stop for span in own), default=0)
    wide = tuple(Span(2 * a, 2 * b, "float32", name) for a, b, _, name in parent)
    for found in cast_runs(own, wide).values():
        for run in found:
            assert run.source + CAST_TIMES * run.size <= max(span.stop for span in wide)
