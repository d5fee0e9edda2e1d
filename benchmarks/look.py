"""Looking inside: the time to read what files of a gigabyte say, and how much of them is read."""

from __future__ import annotations

import json
import os
import statistics
import struct
import time
import zlib
from pathlib import Path

from benchmarks.measure import Result
from modelshelf import formats

FILE_BYTES = 1 << 30
TENSORS = 300
ROUNDS = 11
GOAL_MILLISECONDS = 50


def measure(folder: Path) -> list[Result]:
    """Sparse files in formats that hold large models, with as many tensors as real ones have."""
    results = []
    made = (
        _safetensors(folder / "large.safetensors"),
        _pytorch(folder / "large.pt"),
        _gguf(folder / "large.gguf"),
    )
    for path in made:
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


def _gguf(path: Path) -> Path:
    """Version 3, little-endian, float32, no metadata, data aligned to 32 bytes."""
    count = FILE_BYTES // TENSORS // 4 // 8 * 8
    infos = b"".join(
        struct.pack("<Q", len(_name(number))) + _name(number).encode()
        + struct.pack("<IQIQ", 1, count, 0, number * count * 4)
        for number in range(TENSORS)
    )  # fmt: skip
    header = b"GGUF" + struct.pack("<IQQ", 3, TENSORS, 0) + infos
    with path.open("wb") as file:
        file.write(header)
    os.truncate(path, -(-len(header) // 32) * 32 + TENSORS * count * 4)
    return path


def _name(number: int) -> str:
    return f"model.layers.{number // 10}.attention.{number % 10}.weight"


def _pytorch(path: Path) -> Path:
    """What `torch.save` writes for a state dict: a stored zip of a pickle and one entry a tensor."""
    count = FILE_BYTES // TENSORS // 4
    zeros = zlib.crc32(bytes(count * 4))
    pickle = _state_dict(count)
    entries = [(b"large/data.pkl", len(pickle), zlib.crc32(pickle))]
    entries += [(b"large/data/%d" % number, count * 4, zeros) for number in range(TENSORS)]
    directory = b""
    with path.open("wb") as file:
        for name, size, checksum in entries:
            place = file.tell()
            fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, checksum, size, size, len(name), 0)
            file.write(b"PK\3\4" + fields + name)
            directory += b"PK\1\2\0\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, place) + name
            if place:
                file.seek(size, os.SEEK_CUR)  # a hole: zeros that take no room on the disk
            else:
                file.write(pickle)
        end = struct.pack(
            "<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), file.tell(), 0
        )
        file.write(directory + b"PK\5\6" + end)
    return path


def _state_dict(count: int) -> bytes:
    """The pickle (protocol 2) of `TENSORS` float32 tensors of `count` values, by name."""
    ordered = b"ccollections\nOrderedDict\n)R"
    tensors = []
    for number in range(TENSORS):
        storage = b"".join(
            [
                b"((", _text("storage"), b"ctorch\nFloatStorage\n", _text(str(number)),
                _text("cpu"), _number(count), b"tQ",
            ]
        )  # fmt: skip
        view = _number(0) + _number(count) + b"\x85" + _number(1) + b"\x85\x89"
        call = b"ctorch._utils\n_rebuild_tensor_v2\n" + storage + view + ordered + b"tR"
        tensors.append(_text(_name(number)) + call)
    return b"\x80\x02" + ordered + b"(" + b"".join(tensors) + b"u."


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)
