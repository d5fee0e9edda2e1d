"""A package with enough bytes to be interrupted in the middle of."""

from __future__ import annotations

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
    while count > 0 and sum(path.stat().st_size for path in folder.iterdir()) < count:
        assert time.monotonic() < until
        time.sleep(0.005)
