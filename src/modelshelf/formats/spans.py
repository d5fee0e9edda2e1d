"""Where tensors lie in a file: bytes from one place to another, of one dtype, under a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """The bytes of one stored tensor in one file: from `start` up to `stop`.

    `dtype` and `name` are those of the tensor in `Facts.tensors`. What is stored without being
    one of those has a name of its own (state of an optimizer, constants of a graph), or none:
    bytes of a storage that no tensor shows, a slice of a tensor that was cut up.
    """

    start: int
    stop: int
    dtype: str
    name: str


def disjoint(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same bytes in ascending order, each in one span; those without bytes are left out.

    Spans that overlap become one, called like the longest of them; of equal ones by the alphabet,
    so that tied tensors have one name in whichever order files list them.
    """
    found: list[Span] = []
    longest = 0
    for span in sorted(spans):
        size = span.stop - span.start
        if size <= 0:
            continue
        if not found or span.start >= found[-1].stop:
            found.append(span)
            longest = size
            continue
        last = found[-1]
        _, _, dtype, name = span if size > longest else last
        found[-1] = Span(last.start, max(last.stop, span.stop), dtype, name)
        longest = max(longest, size)
    return tuple(found)


def by_file(spans: Iterable[tuple[str, Span]]) -> dict[str, tuple[Span, ...]]:
    """The spans of each file, as `Facts.spans` has them; files without any are left out."""
    found: dict[str, list[Span]] = {}
    for file, span in spans:
        found.setdefault(file, []).append(span)
    return {file: told for file, each in found.items() if (told := disjoint(each))}
