"""Planes: the bytes of equal weight of all values together, because they are alike.

The planes follow each other as streams, the lowest first, then the bytes after the last whole
value as they are.
"""

from __future__ import annotations

from modelshelf.store.codec import blocks
from modelshelf.store.codec.cursor import Cursor
from modelshelf.store.codec.streams import Streams
from modelshelf.store.codec.words import (
    WIDTHS,
    Words,
    chunks,
    join,
    rotate_left,
    rotate_right,
    split,
    words,
)


def encode(raw: memoryview, width: int, streams: Streams, *, floating: bool = False) -> bytes:
    """`raw` in planes; `floating` where the sign is to stand beside the mantissa."""
    whole = len(raw) // width * width
    rest = bytes(raw[whole:])
    if width not in WIDTHS:
        return blocks.encode(raw[:whole], width, streams) + rest
    values = words(raw[:whole], width)
    planes = streams.room(whole).reshape(width, -1)
    for part in chunks(values.size, width):
        split(rotate_left(values[part]) if floating else values[part], planes[:, part])
    return b"".join((*(streams.pack(plane) for plane in planes), rest))


def decode(
    source: Cursor, width: int, streams: Streams, out: memoryview, *, floating: bool = False
) -> None:
    """Fill `out` with the values that `encode` told."""
    whole = len(out) // width * width
    if width in WIDTHS:
        _decode(source, words(out[:whole], width), streams, floating=floating)
    else:
        blocks.decode(source, width, streams, out[:whole])
    out[whole:] = source.take(len(out) - whole)


def _decode(source: Cursor, values: Words, streams: Streams, *, floating: bool) -> None:
    rooms = streams.room(values.nbytes).reshape(values.itemsize, -1)
    planes = [streams.unpack(source, values.size, room) for room in rooms]
    for part in chunks(values.size, values.itemsize):
        join([plane[part] for plane in planes], values[part])
        if floating:
            rotate_right(values[part])
