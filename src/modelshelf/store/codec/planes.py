"""Planes: the bytes of equal weight of all values together, because they are alike."""

from __future__ import annotations

import numpy as np

from modelshelf.store.codec.cursor import Cursor
from modelshelf.store.codec.streams import Streams
from modelshelf.store.codec.words import (
    WIDTHS,
    Bytes,
    chunks,
    join,
    rotate_left,
    rotate_right,
    split,
    words,
)


def encode(raw: memoryview, width: int, streams: Streams, room: Bytes, *, floating: bool) -> bytes:
    """`raw` in planes; bytes after the last whole value stand at the end as they are."""
    count = len(raw) // width
    planes = room[: count * width].reshape(width, count)
    whole = raw[: count * width]
    if width in WIDTHS:
        values = words(whole, width)
        turned = np.empty(min(len(values), 128 << 10), values.dtype)
        for part in chunks(count, width):
            source = values[part]
            if floating:
                rotate_left(source, turned[: source.size])
                source = turned[: source.size]
            split(source, planes[:, part])
    else:
        blocks = np.frombuffer(whole, np.uint8).reshape(count, width)
        for part in chunks(count, width):
            planes[:, part] = blocks[part].T
    return b"".join((*(streams.pack(plane) for plane in planes), raw[count * width :]))


def decode(
    source: Cursor, width: int, streams: Streams, room: Bytes, out: memoryview, *, floating: bool
) -> None:
    """Fill `out` with the values that `encode` told."""
    count = len(out) // width
    rooms = room[: count * width].reshape(width, count)
    planes = [streams.unpack(source, count, each) for each in rooms]
    whole = out[: count * width]
    if width in WIDTHS:
        values = words(whole, width)
        for part in chunks(count, width):
            join([plane[part] for plane in planes], values[part])
            if floating:
                rotate_right(values[part])
    else:
        blocks = np.frombuffer(whole, np.uint8).reshape(count, width)
        for part in chunks(count, width):
            for column, plane in enumerate(planes):
                blocks[part, column] = plane[part]
    out[count * width :] = source.take(len(out) - count * width)
