"""Casts: the float32 values of a parent in fewer bits, rounded to nearest, ties to even."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modelshelf.store.codec.words import chunks


def bfloat16(base: memoryview, out: memoryview) -> None:
    """As ml_dtypes and torch do it; of what is not a number only the sign is kept."""
    values, rounded = np.frombuffer(base, "<u4"), np.frombuffer(out, "<u2")
    for part in chunks(values.size, 4):
        bits = values[part]
        nearest = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
        nan = np.flatnonzero((bits & 0x7FFFFFFF) > 0x7F800000)
        nearest[nan] = (bits[nan] >> 16) & 0x8000 | 0x7FC0
        np.copyto(rounded[part], nearest, casting="unsafe")


def float16(base: memoryview, out: memoryview) -> None:
    """As numpy does it; what is too large becomes infinite."""
    with np.errstate(all="ignore"):
        np.copyto(np.frombuffer(out, "<f2"), np.frombuffer(base, "<f4"), casting="same_kind")


ROUND: dict[str, Callable[[memoryview, memoryview], None]] = {
    "float32>bfloat16": bfloat16,
    "float32>float16": float16,
}
