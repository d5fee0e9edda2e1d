"""Values as words: split into planes of bytes and joined again, a piece at a time in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.unsignedinteger]

_TYPES: dict[int, np.dtype[np.unsignedinteger]] = {
    width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)
}
WIDTHS = tuple(_TYPES)
"""Bytes of the values that are numbers; others are blocks of bytes."""
CHUNK_BYTES = 128 << 10


def words(data: memoryview, width: int) -> Words:
    """`data` as little-endian words; a block of another width is seen as single bytes."""
    return np.frombuffer(data, _TYPES.get(width, np.uint8))


def chunks(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` values that fit the cache."""
    return slices(count, max(1, CHUNK_BYTES // width))


def slices(count: int, step: int) -> Iterator[slice]:
    """Slices of `count` values, `step` in each."""
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def rotate_left(values: Words) -> Words:
    """The values with the sign, which is above the exponent, below the mantissa."""
    signs = np.right_shift(values, 8 * values.itemsize - 1)
    turned: Words = np.left_shift(values, 1)
    return np.bitwise_or(turned, signs, out=turned)


def rotate_right(values: Words) -> None:
    """Undo `rotate_left`, in place."""
    signs = values << (8 * values.itemsize - 1)
    np.right_shift(values, 1, out=values)
    np.bitwise_or(values, signs, out=values)


def top_bytes(values: Words) -> Bytes:
    """The first eight bits under the sign of each value."""
    return (values >> (8 * values.itemsize - 9)).astype(np.uint8)


def fold(values: Words) -> None:
    """Differences, in place, to numbers that are small where they are near zero: 0 -1 1 -2 2 ..."""
    signs = np.negative(values >> (8 * values.itemsize - 1))
    np.left_shift(values, 1, out=values)
    np.bitwise_xor(values, signs, out=values)


def unfold(values: Words) -> None:
    """Undo `fold`, in place."""
    signs = np.negative(values & 1)
    np.right_shift(values, 1, out=values)
    np.bitwise_xor(values, signs, out=values)


def split(values: Words, planes: Iterable[Bytes]) -> None:
    """Give each of the `planes` a byte of all values, the lowest first."""
    for shift, plane in enumerate(planes):
        np.copyto(plane, values >> (8 * shift) if shift else values, casting="unsafe")


def join(planes: Sequence[Bytes], out: Words) -> None:
    """Undo `split`."""
    *lower, top = planes
    np.copyto(out, top)
    append(lower, out)


def append(planes: Sequence[Bytes], out: Words) -> None:
    """Shift the bytes of the `planes`, the lowest first, into the values from below."""
    for plane in reversed(planes):
        np.left_shift(out, 8, out=out)
        np.bitwise_or(out, plane, out=out)
