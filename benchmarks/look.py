"""Looking inside: the time to read what files of a gigabyte say, and how much of them is read."""

from __future__ import annotations

import json
import os
import statistics
import struct
import time
import zipfile
from pathlib import Path

from benchmarks.measure import Result
from modelshelf import formats

FILE_BYTES = 1 << 30
TENSORS = 300
ROUNDS = 11
GOAL_MILLISECONDS = 50


def measure(folder: Path) -> list[Result]:
    """A safetensors file and a PyTorch archive, both sparse, with as many tensors as real models."""
    results = []
    for path in (_safetensors(folder / "large.safetensors"), _pytorch(folder / "large.pt")):
        assert len(formats.read(path).tensors) == TENSORS
        seconds = statistics.median(_seconds(path) for _ in range(ROUNDS))
        what = f"look inside: {path.suffix} of 1 GiB"
        results += [
            Result(what, seconds * 1000, "ms", GOAL_MILLISECONDS),
            Result(f"{what}, bytes read", _bytes_read(path), "bytes"),
        ]
    return results


def _seconds(path: Path) -> float:
    started = time.perf_counter()
    formats.read(path)
    return time.perf_counter() - started


def _bytes_read(path: Path) -> int:
    """What the process asked the system for meanwhile, from any file."""
    before = _asked()
    formats.read(path)
    return _asked() - before


def _asked() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(lines[0].removeprefix("rchar: "))


def _safetensors(path: Path) -> Path:
    size = FILE_BYTES // TENSORS // 4
    header = {
        _name(number): {
            "dtype": "F32",
            "shape": [size],
            "data_offsets": [number * size * 4, (number + 1) * size * 4],
        }
        for number in range(TENSORS)
    }
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + TENSORS * size * 4)
    return path


def _name(number: int) -> str:
    return f"model.layers.{number // 10}.attention.{number % 10}.weight"
