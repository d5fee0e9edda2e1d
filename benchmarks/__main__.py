"""Measure everything and print one table: `python -m benchmarks [NAME ...]` for some of it only."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import index, install, look, solve, startup
from benchmarks.measure import Result, table

MEASUREMENTS: dict[str, Callable[[Path], list[Result]]] = {
    "startup": startup.measure,
    "index": index.measure,
    "install": install.measure,
    "look": look.measure,
    "solve": solve.measure,
}


def main(wanted: list[str]) -> int:
    """Run the measurements `wanted` (none: all). A missed goal is told, and is no failure."""
    unknown = [name for name in wanted if name not in MEASUREMENTS]
    if unknown:
        sys.stderr.write(f"there is no {unknown[0]}; there are: {', '.join(MEASUREMENTS)}\n")
        return 2
    results: list[Result] = []
    for name in wanted or MEASUREMENTS:
        sys.stderr.write(f"measuring {name} ...\n")
        # /tmp may be memory, which costs other than disks do
        with tempfile.TemporaryDirectory(prefix="modelshelf-", dir=_disk()) as folder:
            results += MEASUREMENTS[name](Path(folder))
    print(table(results))
    return 0


def _disk() -> str | None:
    return "/var/tmp" if Path("/var/tmp").is_dir() else None


sys.exit(main(sys.argv[1:]))
