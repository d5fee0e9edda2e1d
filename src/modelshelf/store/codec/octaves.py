"""Octaves: floating values told by their distance from the largest, sixteen steps an octave.

Weights are spread like a bell: hardly any is 16 octaves (powers of two) below the largest, and
within an octave the small ones are more frequent. Twelve bits, the exponent and the first of the
mantissa, therefore become a byte: how far they lie under `top`. 255 marks what lies elsewhere and
is told at the end. The other bits are noise. This is for exponents of eight bits: bfloat16, float32.

A blob has `top` as a number, the streams of steps, of the four bits below, of the bytes below
those, and of the two bytes of each value that lies elsewhere; then bytes as in `planes`.
"""

from __future__ import annotations

import numpy as np

from modelshelf.store.codec.cursor import Cursor, malformed, number
from modelshelf.store.codec.streams import Streams
from modelshelf.store.codec.words import (
    Words,
    append,
    chunks,
    join,
    rotate_left,
    rotate_right,
    split,
    words,
)

WIDTHS = (2, 4)
ELSEWHERE = 255
MOST = 1 << 12


def encode(raw: memoryview, width: int, streams: Streams) -> bytes:
    """`raw` in octaves."""
    count = len(raw) // width
    values = words(raw[: count * width], width)
    steps, *lower = rows = streams.room(count * width).reshape(width, count)
    top, elsewhere = _top(values, width), []
    for part in chunks(count, width):
        turned = rotate_left(values[part])
        under = np.subtract(top, turned >> (8 * width - 12), dtype=turned.dtype)
        steps[part] = np.minimum(under, ELSEWHERE)
        elsewhere.append((top - under[steps[part] == ELSEWHERE]).astype("<u2"))
        split(turned, [row[part] for row in lower[1:]])
        np.copyto(lower[0][part], (turned >> (8 * width - 16)) & 15, casting="unsafe")
    others = np.empty((2, sum(each.size for each in elsewhere)), np.uint8)
    split(np.concatenate(elsewhere), others)
    told = (streams.pack(row) for row in (*rows, *others))
    return b"".join((number(top), *told, raw[count * width :]))


def decode(source: Cursor, width: int, streams: Streams, out: memoryview) -> None:
    """Fill `out` with the values that `encode` told."""
    count = len(out) // width
    values = words(out[: count * width], width)
    top = source.number()
    if top >= MOST or width not in WIDTHS:
        raise malformed(f"{top} as the largest value of {width} bytes")
    rooms = streams.room(count * width).reshape(width, count)
    steps, bits, *lower = (streams.unpack(source, count, room) for room in rooms)
    others = _elsewhere(source, streams, int(np.count_nonzero(steps == ELSEWHERE)))
    at = 0
    for part in chunks(count, width):
        here = values[part]
        np.copyto(here, steps[part])
        np.subtract(top, here, out=here)
        places = np.flatnonzero(steps[part] == ELSEWHERE)
        here[places] = others[at : at + places.size]
        at += places.size
        np.left_shift(here, 4, out=here)
        np.bitwise_or(here, bits[part], out=here)
        append([row[part] for row in lower], here)
        rotate_right(here)
    out[count * width :] = source.take(len(out) - count * width)


def _top(values: Words, width: int) -> int:
    """The largest step of the 255 that hold the most values."""
    sample = values[:: max(1, values.size >> 15)]
    counts = np.bincount(rotate_left(sample) >> (8 * width - 12), minlength=MOST)
    upto = np.concatenate([np.zeros(ELSEWHERE, np.int64), np.cumsum(counts)])
    return int(np.argmax(upto[ELSEWHERE:] - upto[:-ELSEWHERE]))


def _elsewhere(source: Cursor, streams: Streams, count: int) -> Words:
    low, high = (streams.unpack(source, count, np.empty(count, np.uint8)) for _ in range(2))
    found = np.empty(count, "<u2")
    join((low, high), found)
    return found
