"""Casts: values of a parent in fewer bits, rounded to nearest as the frameworks do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelshelf.store.codec.words import chunks


def bfloat16(values: NDArray[np.uint32], out: NDArray[np.uint16]) -> None:
    """float32 to bfloat16, ties to even; what is not a number keeps its sign and nothing else."""
    for part in chunks(values.size, 4):
        bits = values[part]
        rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
        nan = (bits & 0x7FFFFFFF) > 0x7F800000
        if nan.any():
            rounded[nan] = (bits[nan] >> 16) & 0x8000 | 0x7FC0
        np.copyto(out[part], rounded, casting="unsafe")


def float16(values: NDArray[np.uint32], out: NDArray[np.uint16]) -> None:
    """float32 to float16, ties to even, as numpy does it."""
    with np.errstate(all="ignore"):
        np.copyto(out.view("<f2"), values.view("<f4"), casting="same_kind")
