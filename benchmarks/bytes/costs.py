"""What moving costs: CPU against `cp` and a hash of the same file, peak memory, time to load."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks import registry
from benchmarks.bytes import model
from benchmarks.bytes.files import write
from benchmarks.bytes.model import Size, Tensor, Values
from benchmarks.bytes.peers import in_their_environment
from benchmarks.bytes.shelf import PACKAGE, Shop, shop
from benchmarks.measure import Cost, Result, cost, median, warm_memory

ROUNDS = 5
GOAL_RAW, GOAL_DECODED = 4, 8
GOAL_MEBIBYTES = 120
PIECE_BYTES = 4 << 20
LARGE_BYTES = 5_000_000_000
_LARGE_PART = 1 << 21
"""Values of each tensor of the large file: 4 MiB of bfloat16."""
_HASH = "import hashlib, sys; hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256')"


def cold_installs(folder: Path, size: Size) -> list[Result]:
    """Installs into an empty store: of what no codec makes smaller, and of what was encoded.

    Of a small model starting the client is most of the cost, which has goals of its own.
    """
    tensors = model.base(size)
    path = folder / "model.safetensors"
    results = []
    for what, goal in (("raw", GOAL_RAW), ("bf16", GOAL_DECODED), ("fp32", GOAL_DECODED)):
        if what == "raw":
            registry.write_random(path, 4 * sum(int(np.prod(each.shape)) for each in tensors))
        else:
            write(path, tensors, what.replace("fp", "F").replace("bf", "BF"))
        results += _against_copy(folder / "shop", path, what, goal if size == model.FULL else None)
        path.unlink()
    return results


def _against_copy(folder: Path, path: Path, what: str, goal: float | None) -> list[Result]:
    copies, hashes, installs = [], [], []
    with _published(folder, path) as here:
        for _ in range(ROUNDS):
            warm_memory(folder, path.stat().st_size)
            copies.append(cost(["cp", "--reflink=never", str(path), str(folder / "copy")]))
            (folder / "copy").unlink()
            hashes.append(cost([sys.executable, "-ISc", _HASH, str(path)]))
            installs.append(_install(here, path.stat().st_size))
    copied, hashed, installed = median(copies), median(hashes), median(installs)
    name = f"{what}, {path.stat().st_size / 1e6:,.0f} MB"
    both = copied.cpu + hashed.cpu
    return [
        Result(f"{name}: cp + sha256", both, "s CPU"),
        Result(f"{name}: cold install", installed.cpu, "s CPU"),
        Result(f"{name}: cold install, against cp + sha256", installed.cpu / both, "x CPU", goal),
        Result(f"{name}: cold install, wall clock", installed.wall, "s"),
        Result(f"{name}: peak memory", installed.peak_bytes / 2**20, "MiB", GOAL_MEBIBYTES),
    ]


def large_install(folder: Path) -> list[Result]:
    """The memory that a file of 5 GB takes: bfloat16 numbers of few values, none repeated."""
    path = write(folder / "model.safetensors", _large_tensors())
    name = f"{path.stat().st_size / 1e9:.1f} GB"
    with _published(folder / "shop", path) as here:
        size = path.stat().st_size
        path.unlink()
        found = _install(here, size)
        stored = here.stored
    return [
        Result(f"{name} of few values: peak memory", found.peak_bytes / 2**20, "MiB",
               GOAL_MEBIBYTES),
        Result(f"{name} of few values: cold install", found.cpu, "s CPU"),
        Result(f"{name} of few values: stored", stored / 1e6, "MB"),
    ]  # fmt: skip


def _large_tensors() -> list[Tensor]:
    values = np.round(model.noise("large", (_LARGE_PART,), seed=7))

    def make(number: int) -> Values:
        return np.roll(values, 977 * number)

    return [
        Tensor(f"part.{number}", (_LARGE_PART,), 1.0, lambda number=number: make(number))
        for number in range(LARGE_BYTES // (2 * _LARGE_PART))
    ]


@contextmanager
def _published(folder: Path, path: Path) -> Iterator[Shop]:
    with shop(folder) as here:
        here.publish("1.0.0", [path])
        yield here


def _install(here: Shop, size: int) -> Cost:
    """Into an empty store, asking the registry itself: the proxy would slow the client."""
    home, project = here.folder / "another", registry.project(here.folder / "project")
    warm_memory(here.folder, min(size, 1 << 30))
    found = cost(
        [registry.SHELF, "install", PACKAGE, "--quiet"],
        cwd=project,
        env=registry.user(home, here.live.url),
    )
    shutil.rmtree(home)
    shutil.rmtree(project)
    return found


def loading(folder: Path, size: Size) -> list[Result]:
    """An installed file by mmap, beside torch.load and beside joining pieces first."""
    path = write(folder / "model.safetensors", model.base(size), "F32")
    saved, pieces = folder / "model.pt", folder / "pieces"
    in_their_environment("resave", path, saved)
    pieces.mkdir()
    with path.open("rb") as file:
        for number, piece in enumerate(iter(lambda: file.read(PIECE_BYTES), b"")):
            (pieces / f"{number:06}").write_bytes(piece)
    found = json.loads(in_their_environment("load", path, saved, pieces))
    name = f"load {path.stat().st_size / 1e6:,.0f} MB"
    return [Result(f"{name}: {way}", taken, "ms") for way, taken in found.items()]
