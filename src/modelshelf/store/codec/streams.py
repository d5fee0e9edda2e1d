"""Streams of bytes of one kind, each told in the fewest bits: as they are, by frequency, by gaps.

A stream is a number (its bytes times four, plus the way it is told), then its bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelshelf.store.codec.cursor import Cursor, malformed, number
from modelshelf.store.codec.frames import Frames

Bytes = NDArray[np.uint8]

RAW, FRAME, HOLES, SAME = range(4)
PROBE_BYTES = 64 << 10
CHUNK = 1 << 16
DEEPEST = 3
"""So often are the holes of holes told by holes again."""
WORTH = 0.98
"""What saves less than 2 % is not worth the time of decoding."""


class Streams:
    """Packs and unpacks streams; one a thread."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def pack(self, data: Bytes, depth: int = 0) -> bytes:
        """The stream that tells `data`."""
        if data.size > 1 and data.min() == data.max():
            return _stream(SAME, data[:1].tobytes())
        way = self._best(_sample(data), depth)[1]
        if way == "holes":
            return _stream(HOLES, b"".join(self.pack(each, depth + 1) for each in _holes(data)))
        if way != "raw":
            frame = self._frame(way, data)
            if len(frame) < data.size:
                return _stream(FRAME, frame)
        return _stream(RAW, data.tobytes())

    def unpack(self, source: Cursor, size: int, room: Bytes, depth: int = 0) -> Bytes:
        """The next stream, of `size` bytes; in `room` unless it needs none."""
        length, way = divmod(source.number(), 4)
        body = source.take(length)
        if way == SAME and length == 1:
            return np.broadcast_to(np.frombuffer(body, np.uint8), size)
        if way == RAW and length == size:
            return np.frombuffer(body, np.uint8)
        if way == FRAME:
            self._frames.fill(body, room[:size].data)
            return room[:size]
        if way == HOLES and depth < DEEPEST:
            return self._fill(Cursor(body), room[:size], depth + 1)
        raise malformed("a stream of unknown kind")

    def _best(self, sample: Bytes, depth: int) -> tuple[int, str]:
        """How few bytes tell `sample`, and which way they do."""
        ways = [(int(sample.size * WORTH), "raw")]
        if sample.size > 16:
            ways += [(len(self._frame(way, sample)), way) for way in ("symbols", "general")]
            if depth < DEEPEST and np.count_nonzero(sample) < sample.size * 0.5:
                holes = sum(self._best(each, depth + 1)[0] for each in _holes(sample))
                ways.append((holes, "holes"))
        return min(ways)

    def _frame(self, way: str, data: Bytes) -> bytes:
        write = self._frames.symbols if way == "symbols" else self._frames.general
        return write(data.data)

    def _fill(self, source: Cursor, out: Bytes, depth: int) -> Bytes:
        """Fill `out` with zeros and the values between them."""
        count = -(-out.size // 8)
        bits = self.unpack(source, count, np.empty(count, np.uint8), depth)
        left = int(np.bitwise_count(bits).sum(dtype=np.int64))
        if left > out.size:
            raise malformed("more values than places")
        values = self.unpack(source, left, np.empty(left, np.uint8), depth)
        source.finish()
        out.fill(0)
        at = 0
        for start in range(0, out.size, CHUNK):
            part = out[start : start + CHUNK]
            places = np.flatnonzero(np.unpackbits(bits[start // 8 :][: CHUNK // 8])[: part.size])
            part[places] = values[at : at + places.size]
            at += places.size
        return out


def _stream(way: int, body: bytes) -> bytes:
    return number(len(body) * 4 + way) + body


def _sample(data: Bytes) -> Bytes:
    """64 KiB from four places, or all."""
    if data.size <= PROBE_BYTES:
        return data
    step, part = data.size // 4, PROBE_BYTES // 4
    return np.concatenate([data[at * step :][:part] for at in range(4)])


def _holes(data: Bytes) -> tuple[Bytes, Bytes]:
    """A bit a byte, whether it is not zero; and those that are not."""
    return np.packbits(data != 0), data[np.flatnonzero(data)]
