"""A cold install: its CPU time against `cp` of the same file, and the memory that it takes."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from benchmarks import registry
from benchmarks.measure import Cost, Result, cost, median, warm_memory

FILE_BYTES = 500_000_000
ROUNDS = 9


def measure(folder: Path) -> list[Result]:
    """Installs into an empty store, in turn with copies, from a registry on this machine."""
    with registry.running(folder) as live:
        source = registry.publish(live, folder / "package", "large", "1.0.0", size=FILE_BYTES)
        installs, copies, servers = [], [], []
        for _ in range(ROUNDS):
            copies.append(_copy(folder, source))
            before = live.cpu_seconds()
            installs.append(_install(folder, live))
            servers.append(live.cpu_seconds() - before)
    copied, installed = median(copies), median(installs)
    size = FILE_BYTES / 1e6
    return [
        Result(f"install: cp of {size:.0f} MB", copied.cpu, "s CPU"),
        Result(f"install: cold, {size:.0f} MB", installed.cpu, "s CPU"),
        Result("install: cold, against cp", installed.cpu / copied.cpu, "x CPU", 4),
        Result("install: peak memory", installed.peak_bytes / 2**20, "MiB", 120),
        Result("install: wall clock", installed.wall, "s"),
        Result("install: wall clock of cp", copied.wall, "s"),
        Result("install: the registry's share", statistics.median(servers), "s CPU"),
    ]


def _copy(folder: Path, source: Path) -> Cost:
    warm_memory(folder, FILE_BYTES)
    target = folder / "copy"
    found = cost(["cp", "--reflink=never", str(source), str(target)])
    target.unlink()
    return found


def _install(folder: Path, live: registry.Live) -> Cost:
    home, project = folder / "another", registry.project(folder / "project")
    warm_memory(folder, FILE_BYTES)
    found = cost(
        [registry.SHELF, "install", "bench/large"],
        cwd=project,
        env=registry.user(home, live.url),
    )
    shutil.rmtree(home)
    shutil.rmtree(project)
    return found
