"""Differences: values told by how far they lie from those of a parent.

The steps of training are about as long for large weights as for small ones, so in units of their
last place they are short for large weights: the exponent of the parent's value tells what to
expect. Values are therefore told in groups by the top byte of the parent's, where that helps: a
number of groups, the first top byte of each but the lowest, the values in each but the last, and
the planes of one group after those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise, starmap
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelshelf.store.codec import planes
from modelshelf.store.codec.cursor import Cursor, malformed, number
from modelshelf.store.codec.streams import Streams
from modelshelf.store.codec.words import (
    Bytes,
    Words,
    chunks,
    fold,
    join,
    slices,
    split,
    top_bytes,
    unfold,
    words,
)

WIDTHS_OF_FLOATS = (2, 4, 8)
MOST_GROUPS = 16
SORTED_VALUES = 64 << 10
PROBE_VALUES = 64 << 10
WORTH_GROUPS = 0.99
"""Sorting into groups has to save 1 %: it takes as long as all the rest."""


class Group(NamedTuple):
    """Which values are told together: those over a top byte of at least `first`."""

    first: int
    size: int


def encode(
    raw: memoryview, base: memoryview, width: int, streams: Streams, *, floating: bool
) -> bytes:
    """`raw`, of whole values, told against `base`, which is as long."""
    values, parents = words(raw, width), words(base, width)
    grouped = floating and width in WIDTHS_OF_FLOATS and values.size > 0
    firsts = _firsts(values, parents, streams) if grouped else [0]
    folded = streams.room(values.nbytes, second=True).view(values.dtype)
    if len(firsts) == 1:
        for part in chunks(values.size, values.itemsize):
            _differ(values[part], parents[part], folded[part])
        told = planes.encode(folded.data.cast("B"), width, streams)
        return number(1) + told
    groups = list(starmap(Group, zip(firsts, _counts(parents, firsts), strict=True)))
    _sort(values, parents, groups, folded)
    return _head(groups) + _tell(folded, groups, streams)


def decode(
    source: Cursor,
    base: memoryview,
    width: int,
    streams: Streams,
    out: memoryview,
    *,
    floating: bool,
) -> None:
    """Fill `out` with the values that `encode` told."""
    values, parents = words(out, width), words(base, width)
    groups = _groups(source, values.size)
    if len(groups) == 1:
        planes.decode(source, width, streams, out)
        for part in chunks(values.size, values.itemsize):
            unfold(values[part])
            np.add(values[part], parents[part], out=values[part])
    elif floating and width in WIDTHS_OF_FLOATS:
        folded = streams.room(values.nbytes, second=True).view(values.dtype)
        _told(source, groups, streams, folded)
        _merge(folded, groups, parents, values)
    else:
        raise malformed("groups of values that have no exponent")


def _differ(values: Words, parents: Words, out: Words) -> None:
    np.subtract(values, parents, out=out)
    fold(out)


def _firsts(values: Words, parents: Words, streams: Streams) -> list[int]:
    """The first top byte of each group that is worth telling alone; [0] if there is but one."""
    sample = _sample(values.size)
    base, folded = parents[sample], values[sample]
    _differ(folded, base, folded)
    tops = top_bytes(base)
    firsts = _borders(tops, np.log2(folded.astype(np.float64) + 1))
    if len(firsts) == 1:
        return firsts
    whole = _cost(folded, streams)
    group = np.searchsorted(firsts, tops, "right")
    parts = sum(_cost(folded[group == each], streams) for each in range(1, len(firsts) + 1))
    return firsts if parts < WORTH_GROUPS * whole else [0]


def _borders(tops: Bytes, lengths: NDArray[np.float64]) -> list[int]:
    """Top bytes at which the binary length of the differences is another."""
    counts = np.bincount(tops, minlength=256)
    totals = np.bincount(tops, lengths, minlength=256)
    for apart in (0.4, 0.6, 0.9, 1.4, 2.0):
        found, seen, total = [0], 0, 0.0
        for top in np.flatnonzero(counts):
            count, length = int(counts[top]), float(totals[top])
            enough = min(seen, count) > tops.size // 256
            if enough and abs(length / count - total / seen) > apart:
                found.append(int(top))
                seen, total = 0, 0.0
            seen, total = seen + count, total + length
        if len(found) <= MOST_GROUPS:
            return found
    return [0]


def _cost(folded: Words, streams: Streams) -> int:
    rows = np.empty((folded.itemsize, folded.size), np.uint8)
    split(folded, rows)
    return sum(streams.cost(row) for row in rows)


def _sample(size: int) -> NDArray[np.intp]:
    step, part = max(size // 4, 1), PROBE_VALUES // 4
    places = [np.arange(at, min(at + min(part, step), size)) for at in range(0, size, step)]
    return np.concatenate(places)


def _counts(parents: Words, firsts: Sequence[int]) -> list[int]:
    counts = np.zeros(256, np.int64)
    for part in chunks(parents.size, parents.itemsize):
        counts += np.bincount(top_bytes(parents[part]), minlength=256)
    return [int(each) for each in np.add.reduceat(counts, firsts)]


def _order(parents: Words, groups: Sequence[Group]) -> tuple[NDArray[np.intp], list[int]]:
    """The places of the values by rising top byte, and where in them each group begins."""
    tops = top_bytes(parents)
    order = np.argsort(tops, kind="stable")
    starts = np.searchsorted(tops.take(order), [group.first for group in groups])
    return order, [*starts.tolist(), tops.size]


def _sort(values: Words, parents: Words, groups: Sequence[Group], out: Words) -> None:
    """Put the differences of each group together."""
    at = [0, *accumulate(group.size for group in groups)]
    for part in slices(values.size, SORTED_VALUES):
        order, borders = _order(parents[part], groups)
        folded = np.empty_like(values[part])
        _differ(values[part], parents[part], folded)
        folded = folded.take(order)
        for each, (start, end) in enumerate(pairwise(borders)):
            out[at[each] : at[each] + end - start] = folded[start:end]
            at[each] += end - start


def _tell(folded: Words, groups: Sequence[Group], streams: Streams) -> bytes:
    told, at = [], 0
    room = streams.room(folded.nbytes)
    for group in groups:
        rows = room[: folded.itemsize * group.size].reshape(folded.itemsize, group.size)
        split(folded[at : at + group.size], rows)
        told += [streams.pack(row) for row in rows]
        at += group.size
    return b"".join(told)


def _told(source: Cursor, groups: Sequence[Group], streams: Streams, folded: Words) -> None:
    """Undo `_tell`."""
    at, width = 0, folded.itemsize
    for group in groups:
        rooms = streams.room(width * group.size).reshape(width, group.size)
        rows = [streams.unpack(source, group.size, room) for room in rooms]
        here = folded[at : at + group.size]
        for part in chunks(group.size, width):
            join([row[part] for row in rows], here[part])
            unfold(here[part])
        at += group.size


def _merge(changes: Words, groups: Sequence[Group], parents: Words, out: Words) -> None:
    """Undo `_sort`: `changes` are the differences, of one group after those of another."""
    ends = [*accumulate(group.size for group in groups)]
    at = [0, *ends[:-1]]
    for part in slices(out.size, SORTED_VALUES):
        base = parents[part]
        order, borders = _order(base, groups)
        stops = [
            place + end - start for place, (start, end) in zip(at, pairwise(borders), strict=True)
        ]
        if any(stop > end for stop, end in zip(stops, ends, strict=True)):
            raise malformed("groups of another base")
        placed = np.empty_like(base)
        placed[order] = np.concatenate([changes[a:b] for a, b in zip(at, stops, strict=True)])
        np.add(placed, base, out=out[part])
        at = stops


def _head(groups: Sequence[Group]) -> bytes:
    counts = b"".join(number(group.size) for group in groups[:-1])
    return number(len(groups)) + bytes(group.first for group in groups[1:]) + counts


def _groups(source: Cursor, size: int) -> list[Group]:
    amount = source.number()
    if not 0 < amount <= MOST_GROUPS:
        raise malformed(f"{amount} groups")
    firsts = [0, *source.take(amount - 1)]
    counts = [source.number() for _ in firsts[1:]]
    if sum(counts) > size or firsts != sorted(set(firsts)):
        raise malformed("groups that overlap")
    return [Group(*each) for each in zip(firsts, [*counts, size - sum(counts)], strict=True)]
