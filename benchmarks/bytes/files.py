"""Files of a model: safetensors, written one tensor at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.bytes.model import Tensor, Values

Rounded = npt.NDArray[np.generic]
METADATA = {"format": "pt"}


def write(
    path: Path,
    tensors: Sequence[Tensor],
    dtype: str = "BF16",
    metadata: Mapping[str, str] = METADATA,
) -> Path:
    """Write `tensors` in this order; `dtype` is a safetensors one (BF16, F16 or F32)."""
    width = WIDTHS[dtype]
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for each in tensors:
        stop = at + width * int(np.prod(each.shape))
        header[each.name] = {"dtype": dtype, "shape": each.shape, "data_offsets": [at, stop]}
        at = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for each in tensors:
            file.write(memoryview(ROUNDING[dtype](each.make())).cast("B"))
    return path


def sha256(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_bytes(folder: Path) -> int:
    """What the files below `folder` hold together; 0 where it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _bfloat16(values: Values) -> Rounded:
    """To the nearest, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + ((bits >> 16 & 1) + 0x7FFF)) >> 16).astype(np.uint16)


def _float16(values: Values) -> Rounded:
    return values.astype(np.float16)


def _float32(values: Values) -> Rounded:
    return values


WIDTHS = {"BF16": 2, "F16": 2, "F32": 4}
ROUNDING: dict[str, Callable[[Values], Rounded]] = {
    "BF16": _bfloat16,
    "F16": _float16,
    "F32": _float32,
}
