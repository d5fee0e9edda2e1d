"""Blocks: values that are quantised together, some tens of bytes, told column by column.

Neighbouring columns that look alike share a stream, and so a table of frequencies: the scales of
the blocks in one, the values in another. A blob has the number of streams, the columns of each,
and the streams.
"""

from __future__ import annotations

import numpy as np

from modelshelf.store.codec.cursor import Cursor, malformed, number
from modelshelf.store.codec.streams import Streams, least_bytes
from modelshelf.store.codec.words import Bytes, chunks

PROBE_BLOCKS = 16 << 10
TABLE_BYTES = 64
"""About what a table of frequencies takes."""


def encode(raw: memoryview, width: int, streams: Streams) -> bytes:
    """`raw`, of whole blocks of `width` bytes."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, width)
    columns = streams.room(blocks.size).reshape(width, -1)
    for part in chunks(len(blocks), width):
        columns[:, part] = blocks[part].T
    runs = _runs(columns)
    told, at = [number(len(runs)), *map(number, runs)], 0
    for run in runs:
        told.append(streams.pack(columns[at : at + run].reshape(-1)))
        at += run
    return b"".join(told)


def decode(source: Cursor, width: int, streams: Streams, out: memoryview) -> None:
    """Fill `out` with the blocks that `encode` told."""
    blocks = np.frombuffer(out, np.uint8).reshape(-1, width)
    columns = streams.room(blocks.size).reshape(width, -1)
    runs = [source.number() for _ in range(min(source.number(), width))]
    if sum(runs) != width or 0 in runs:
        raise malformed(f"streams of {sum(runs)} columns instead of {width}")
    at = 0
    for run in runs:
        room = columns[at : at + run].reshape(-1)
        np.copyto(room, streams.unpack(source, room.size, room))
        at += run
    for part in chunks(len(blocks), width):
        blocks[part] = columns[:, part].T


def _runs(columns: Bytes) -> list[int]:
    """How many neighbouring columns to tell together, from the first to the last."""
    sample = columns[:, :: max(1, columns.shape[1] // PROBE_BLOCKS)]
    scale = columns.shape[1] / max(1, sample.shape[1])
    runs: list[int] = []
    seen = np.zeros(256, np.int64)
    for column in sample:
        here = np.bincount(column, minlength=256)
        apart = least_bytes(seen) + least_bytes(here)
        if runs and (least_bytes(seen + here) - apart) * scale < TABLE_BYTES:
            runs[-1] += 1
            seen += here
        else:
            runs.append(1)
            seen = here
    return runs
