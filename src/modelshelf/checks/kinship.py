"""Which bytes of one file come from the same tensors as those of another: told by their names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from modelshelf.formats.spans import Span
from modelshelf.store.recipe import CAST_TIMES, MOST_RUNS, Run

MOST_PARENTS = 4
"""With so many files of one release is a file compared: it may have been cut into others."""
CASTS = {("float32", "bfloat16"), ("float32", "float16")}
"""From which dtype to which one is cast, without anything to fetch."""


class Laid(Protocol):
    """A file, and where its tensors lie."""

    @property
    def path(self) -> str:
        """Where it is in its release."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """Its tensors, as far as its format tells."""


Other = TypeVar("Other", bound=Laid)


def delta_runs(spans: Sequence[Span], parent: Sequence[Span]) -> tuple[Run, ...]:
    """Where the same tensors of the same dtype lie in the parent, as far as both are long."""
    return _runs(
        Run(span.start, other.start, min(span.stop - span.start, other.stop - other.start))
        for span, other in _pairs(spans, parent)
        if span.dtype == other.dtype
    )


def nearest(file: Laid, others: Iterable[Other]) -> Iterator[tuple[Other, tuple[Run, ...]]]:
    """The files that share most with this one by name, until all that may be shared is found."""
    left, spans = [*others], file.spans
    for number in range(min(len(left), MOST_PARENTS)):
        found = [(delta_runs(spans, other.spans), other) for other in left]
        runs, best = max(found, key=lambda each: (shared(each[0]), each[1].path == file.path))
        if number == 0 and (runs or best.path == file.path):
            runs = delta_runs(_with_rest(file), _with_rest(best))
        if not runs:
            return
        yield best, runs
        left = [other for other in left if other is not best]
        spans = beside(spans, runs)


def _with_rest(file: Laid) -> tuple[Span, ...]:
    """The tensors of a file, and where none are: the header of its format, say."""
    return (*around(file.spans, file.size), *file.spans)


def around(spans: Sequence[Span], size: int) -> tuple[Span, ...]:
    """What a file of `size` bytes has before its first tensor and behind its last, as tensors.

    Of a file without tensors that is all of it.
    """
    first, last = (spans[0].start, spans[-1].stop) if spans else (size, size)
    found = (Span(0, first, "", "before"), Span(last, size, "", "behind"))
    return tuple(span for span in found if span.start < span.stop)


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


def beside(spans: Sequence[Span], runs: Sequence[Run]) -> tuple[Span, ...]:
    """The tensors that no run begins in."""
    starts = [run.start for run in runs]
    ends = [run.start + run.size for run in runs]

    def is_made(span: Span) -> bool:
        number = bisect_right(starts, span.start) - 1
        return number >= 0 and span.start < ends[number]

    return tuple(span for span in spans if not is_made(span))


def _pairs(spans: Sequence[Span], parent: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    """The tensors that both have: of the same name, or but for what all others' names begin with."""
    known = {other.name: other for other in parent if other.name}
    same = [(span, known[span.name]) for span in spans if span.name in known]
    yield from same
    names = {span.name for span, _ in same}
    rest = [span for span in spans if span.name not in names]
    others = [other for other in parent if other.name not in names]
    shortened = {name: other for name, other in zip(_short(others), others, strict=True) if name}
    for name, span in zip(_short(rest), rest, strict=True):
        if name in shortened:
            yield span, shortened[name]


def _short(spans: Sequence[Span]) -> list[str]:
    """Names without what all of them begin with, up to a dot."""
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
