"""Which bytes of one file come from the same tensors as those of another: told by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelshelf.formats.spans import Span
from modelshelf.store.recipe import CAST_TIMES, MOST_RUNS, Run

CASTS = {("float32", "bfloat16"), ("float32", "float16")}
"""From which dtype to which one is cast, without anything to fetch."""


def delta_runs(spans: Sequence[Span], parent: Sequence[Span]) -> tuple[Run, ...]:
    """Where the same tensors of the same dtype lie in the parent, as far as both are long."""
    return _runs(
        Run(span.start, other.start, min(span.stop - span.start, other.stop - other.start))
        for span, other in _pairs(spans, parent)
        if span.dtype == other.dtype
    )


def cast_runs(spans: Sequence[Span], parent: Sequence[Span]) -> dict[str, tuple[Run, ...]]:
    """Where the same tensors lie in the parent in twice as wide values, by the kind of the cast."""
    found: dict[str, list[Run]] = {}
    for span, other in _pairs(spans, parent):
        size = span.stop - span.start
        is_cast = (other.dtype, span.dtype) in CASTS
        if is_cast and other.stop - other.start == CAST_TIMES * size:
            kind = f"{other.dtype}>{span.dtype}"
            found.setdefault(kind, []).append(Run(span.start, other.start, size))
    return {kind: _runs(iter(runs), CAST_TIMES) for kind, runs in found.items()}


def shared(runs: Sequence[Run]) -> int:
    """How many bytes the runs help to make."""
    return sum(run.size for run in runs)


def _pairs(spans: Sequence[Span], parent: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    """The tensors that both have. A prefix that all names of one file have does not count."""
    names, others = _short(spans), _short(parent)
    known = {other.name: other for other in parent if other.name}
    shortened = {name: other for name, other in zip(others, parent, strict=True) if name}
    for name, span in zip(names, spans, strict=True):
        other = known.get(span.name) or shortened.get(name)
        if other is not None:
            yield span, other


def _short(spans: Sequence[Span]) -> list[str]:
    named = [span.name for span in spans if span.name]
    first, last = min(named, default=""), max(named, default="")
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    cut = first.rfind(".", 0, same) + 1
    return [span.name[cut:] for span in spans]


def _runs(found: Iterator[Run], times: int = 1) -> tuple[Run, ...]:
    """Runs in order; what goes on in both files is one run."""
    runs: list[Run] = []
    for run in sorted(found):
        last = runs[-1] if runs else None
        if (
            last
            and last.start + last.size == run.start
            and last.source + times * last.size == run.source
        ):
            runs[-1] = Run(last.start, last.source, last.size + run.size)
        else:
            runs.append(run)
    return tuple(runs[:MOST_RUNS])
