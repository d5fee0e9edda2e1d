"""A package with enough bytes to be interrupted in the middle of."""

from __future__ import annotations

import contextlib
import hashlib
import time
import tomllib
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.conftest import write_package

MARK = b"\xaa" * 16
"""Bytes that fill a stretch of the weights, so that a faulty wire can change them and nothing else."""


def write_weights(folder: Path, name: str, *, version: str = "1.0.0", megabytes: int = 4) -> Path:
    """`write_package` with weights that do not compress: install it with `--format safetensors`."""
    write_package(folder, name=name, version=version)
    seed = int.from_bytes(hashlib.sha256(f"{name} {version}".encode()).digest()[:4])
    values = np.random.default_rng(seed).integers(0, 160, megabytes << 20, dtype=np.uint8)
    values[1 << 19 : (1 << 19) + (64 << 10)] = MARK[0]
    save_file(
        {"factor": np.full((2,), 2.0, np.float32), "values": values}, folder / "small.safetensors"
    )
    return folder


def assert_whole(project: Path) -> None:
    """The shelf holds what its lock names, every sha256 right, and nothing half made."""
    lock_path = project / "shelf.lock"
    if not lock_path.exists():
        return
    lock = tomllib.loads(lock_path.read_text(encoding="utf-8"))
    for package in lock.get("packages", []):
        files = list(package.get("shared", []))
        for artifact in package["artifacts"]:
            files += artifact["files"] if artifact.get("installed") else []
        for file in files:
            path = project / ".shelf" / package["name"] / package["version"] / file["path"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"], path


def assert_store_whole(home: Path) -> None:
    """Every file of the store has the name that its bytes ask for."""
    for path in (home / "store" / "files").glob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def wait_for_bytes(folder: Path, count: int) -> None:
    """Wait until the files of `folder` have so many bytes: what was sent is also written."""
    until = time.monotonic() + 30
    while count > 0 and _bytes_in(folder) < count:
        assert time.monotonic() < until
        time.sleep(0.005)


def _bytes_in(folder: Path) -> int:
    found = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # done a moment ago
            found += path.stat().st_size
    return found


def write_model(
    folder: Path, name: str, *, version: str = "1.0.0", megabytes: int = 6, tuned: int = 0
) -> Path:
    """`write_package` with weights as training leaves them, in several tensors: they go by segments.

    With the same `tuned` come the same bytes; another number is a fine-tune of the same weights.
    """
    write_package(folder, name=name, version=version)
    made = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]))
    count = (megabytes << 20) // 16
    tensors = {"factor": np.full((2,), 2.0, np.float32)}
    for number in range(2):
        tensors[f"layer{number}.weight"] = made.normal(0, 0.03, 2 * count // 2).astype(np.float32)
    tensors["head.weight"] = made.normal(0, 0.02, 3 * count).astype(np.float16)
    tensors["embedding.weight"] = made.normal(0, 0.02, count).astype(np.float16)
    for number in range(16):
        tensors[f"norm{number}.weight"] = made.normal(1, 0.1, 1 << 11).astype(np.float32)
    if tuned:
        step = np.random.default_rng(tuned)
        for each in ("layer0.weight", "layer1.weight", "norm3.weight", "head.weight"):
            before = tensors[each]
            moved = before * (
                1 + step.normal(0, 1e-3, before.shape) * (step.random(before.shape) < 0.3)
            )
            tensors[each] = moved.astype(before.dtype)
    save_file(tensors, folder / "small.safetensors")
    return folder
