"""Differences: values told by how far they lie from those of a parent."""

from __future__ import annotations

import numpy as np

from modelshelf.store.codec import planes
from modelshelf.store.codec.cursor import Cursor
from modelshelf.store.codec.streams import Streams
from modelshelf.store.codec.words import Bytes, chunks, fold, unfold, words


def encode(raw: memoryview, base: memoryview, width: int, streams: Streams, room: Bytes) -> bytes:
    """`raw`, of whole values, told against `base`, which is as long."""
    values, parents = words(raw, width), words(base, width)
    differences = values - parents
    for part in chunks(values.size, values.itemsize):
        fold(differences[part])
    return planes.encode(differences.data.cast("B"), width, streams, room, floating=False)


def decode(
    source: Cursor, base: memoryview, width: int, streams: Streams, room: Bytes, out: memoryview
) -> None:
    """Fill `out` with the values that `encode` told."""
    planes.decode(source, width, streams, room, out, floating=False)
    values, parents = words(out, width), words(base, width)
    for part in chunks(values.size, values.itemsize):
        unfold(values[part])
        np.add(values[part], parents[part], out=values[part])
