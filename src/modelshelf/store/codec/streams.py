"""Streams of bytes of one kind, each told in the fewest bits: by frequency, by gaps, by digits.

A stream is a number, eight times the bytes that follow plus the way in which they tell it, and
these bytes:

0   the bytes of the stream as they are
1   the one byte that all of them are
2   a zstandard frame
3   holes: a stream of bits that tell which bytes are not zero, and a stream of those
4   digits: how they are packed (an index of `PACKED`), a stream of bytes that hold several digits
    each, and a stream of what is above a digit; the first digits of all bytes come first
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelshelf.store.codec.cursor import Cursor, malformed, number
from modelshelf.store.codec.frames import Frames

Bytes = NDArray[np.uint8]

RAW, SAME, FRAME, HOLES, DIGITS = range(5)
PACKED = ((3, 5), (4, 4), (6, 3), (16, 2))
"""How digits are packed: all are below the first number, and so many make a byte."""
PROBE_BYTES = 64 << 10
CHUNK = 64 << 10
DEEPEST = 3
"""So often may the parts of a stream be told in parts."""
WORTH = 0.98
"""What saves less than 2 % is not worth the time of decoding."""
WORTH_REPEATS = 0.95
"""What repeats is looked for where that saves another 5 %: it is slow."""


class Streams:
    """Packs and unpacks streams; one a thread."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._rooms = [np.empty(0, np.uint8), np.empty(0, np.uint8)]

    def room(self, size: int, *, second: bool = False) -> Bytes:
        """Memory for `size` bytes, the same each time; there are two."""
        if self._rooms[second].size < size:
            self._rooms[second] = np.empty(size, np.uint8)
        return self._rooms[second][:size]

    def pack(self, data: Bytes, depth: int = 0) -> bytes:
        """The stream that tells `data`."""
        if data.size and data.min() == data.max():
            return _stream(SAME, data[:1].tobytes())
        _, way, detail = self._best(_sample(data), depth)
        body = self._body(data, way, detail, depth)
        return _stream(way, body) if len(body) < data.size else _stream(RAW, data.tobytes())

    def cost(self, data: Bytes) -> int:
        """About so many bytes tell `data`."""
        if data.size < 2 or data.min() == data.max():
            return 3
        sample = _sample(data)
        return self._best(sample, 0)[0] * data.size // sample.size

    def repeat(self, data: memoryview) -> bool:
        """Whether `data` repeats itself, so that its bytes are told best by those before."""
        counts = np.bincount(np.frombuffer(data, np.uint8))
        return len(self._frames.repeats(data)) < WORTH_REPEATS * least_bytes(counts)

    def unpack(self, source: Cursor, size: int, room: Bytes, depth: int = 0) -> Bytes:
        """The next stream, of `size` bytes; in `room`, unless it needs none."""
        length, way = divmod(source.number(), 8)
        body = source.take(length)
        if way == SAME and length == 1:
            return np.broadcast_to(np.frombuffer(body, np.uint8), size)
        if way == RAW and length == size:
            return np.frombuffer(body, np.uint8)
        out = room[:size]
        if way == FRAME:
            self._frames.fill(body, out.data)
            return out
        if way not in {HOLES, DIGITS} or depth == DEEPEST:
            raise malformed(f"a stream of {length} bytes, way {way}")
        parts = Cursor(body)
        (self._fill_holes if way == HOLES else self._fill_digits)(parts, out, depth + 1)
        parts.finish()
        return out

    def _body(self, data: Bytes, way: int, detail: int, depth: int) -> bytes:
        if way == RAW:
            return data.tobytes()
        if way == FRAME:
            return (self._frames.repeats if detail else self._frames.symbols)(data.data)
        parts = _holes(data) if way == HOLES else _digits(data, *PACKED[detail])
        told = b"".join(self.pack(each, depth + 1) for each in parts)
        return told if way == HOLES else bytes((detail,)) + told

    def _best(self, sample: Bytes, depth: int) -> tuple[int, int, int]:
        """How few bytes tell `sample`, the way in which they do, and its detail."""
        ways = [(int(sample.size * WORTH), RAW, 0)]
        if sample.size > 32:
            ways.append((len(self._frames.symbols(sample.data)), FRAME, 0))
            ways.append((int(len(self._frames.repeats(sample.data)) / WORTH_REPEATS), FRAME, 1))
        if depth < DEEPEST and sample.size > 256:
            ways += self._parted(sample, depth + 1)
        return min(ways)

    def _parted(self, sample: Bytes, depth: int) -> list[tuple[int, int, int]]:
        ways = []
        if np.count_nonzero(sample) < 0.4 * sample.size:
            ways.append((sum(self._best(each, depth)[0] for each in _holes(sample)), HOLES, 0))
        for detail, (base, count) in enumerate(PACKED) if depth == 1 else ():
            if np.count_nonzero(sample < base) > 0.96 * sample.size:
                parts = _digits(sample, base, count)
                ways.append((sum(self._best(each, depth)[0] for each in parts), DIGITS, detail))
        return ways

    def _fill_holes(self, source: Cursor, out: Bytes, depth: int) -> None:
        count = -(-out.size // 8)
        bits = self.unpack(source, count, np.empty(count, np.uint8), depth)
        left = int.from_bytes(bits.tobytes(), "little").bit_count()
        if left > out.size:
            raise malformed("more values than places")
        values = self.unpack(source, left, np.empty(left, np.uint8), depth)
        out.fill(0)
        at = 0
        for start in range(0, out.size, CHUNK):
            part = out[start : start + CHUNK]
            set_here = np.unpackbits(bits[start // 8 :][: CHUNK // 8])[: part.size]
            places = np.flatnonzero(set_here.view(np.bool_))
            part[places] = values[at : at + places.size]
            at += places.size

    def _fill_digits(self, source: Cursor, out: Bytes, depth: int) -> None:
        detail = source.take(1)[0]
        if detail >= len(PACKED):
            raise malformed(f"digits of kind {detail}")
        base, count = PACKED[detail]
        step = -(-out.size // count)
        packed = self.unpack(source, step, np.empty(step, np.uint8), depth)
        more = self.unpack(source, out.size, np.empty(out.size, np.uint8), depth)
        for start in range(0, step, CHUNK):
            left = packed[start : start + CHUNK]
            for column in range(start, out.size, step):
                here = out[column : column + min(left.size, step - start)]
                tens = left // base
                np.subtract(left[: here.size], (tens * base)[: here.size], out=here)
                left = tens
        if more.strides != (0,) or more[:1].any():
            np.add(out, more, out=out)


def _stream(way: int, body: bytes) -> bytes:
    return number(len(body) * 8 + way) + body


def least_bytes(counts: NDArray[np.int64]) -> float:
    """What an ideal code takes to tell bytes of such frequencies one by one."""
    found = counts[counts > 0]
    return float((found * np.log2(counts.sum() / found)).sum() / 8)


def _sample(data: Bytes) -> Bytes:
    """64 KiB from four places, or all."""
    if data.size <= PROBE_BYTES:
        return data
    step, part = data.size // 4, PROBE_BYTES // 4
    return np.concatenate([data[at * step :][:part] for at in range(4)])


def _holes(data: Bytes) -> tuple[Bytes, Bytes]:
    """A bit a byte, whether it is not zero; and those that are not."""
    return np.packbits(data != 0), data[np.flatnonzero(data)]


def _digits(data: Bytes, base: int, count: int) -> tuple[Bytes, Bytes]:
    """`count` digits below `base` a byte, from as many parts of `data`; and what is above them."""
    digits = np.minimum(data, base - 1)
    step = -(-data.size // count)
    packed = np.zeros(step, np.uint8)
    for start in reversed(range(0, data.size, step)):
        part = digits[start : start + step]
        packed *= base
        packed[: part.size] += part
    return packed, data - digits
