"""Measure everything and print one table: `python -m benchmarks [NAME ...]` for some of it only."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import index, install, look, solve, startup, study
from benchmarks.measure import Result, disk, table

MEASUREMENTS: dict[str, Callable[[Path], list[Result]]] = {
    "startup": startup.measure,
    "index": index.measure,
    "install": install.measure,
    "look": look.measure,
    "solve": solve.measure,
    "study": study.measure,
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
        with tempfile.TemporaryDirectory(prefix="modelshelf-", dir=disk()) as folder:
            results += MEASUREMENTS[name](Path(folder))
    print(table(results))
    return 0


sys.exit(main(sys.argv[1:]))
