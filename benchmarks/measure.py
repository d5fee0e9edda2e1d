"""How the benchmarks measure: CPU seconds of child processes, medians, and one line a result."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Result(NamedTuple):
    """One line of the table; `goal` is None for what is told but has no goal of its own."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`pass`, `FAIL`, or nothing where there is no goal."""
        if self.goal is None:
            return ""
        reached = self.value >= self.goal if self.at_least else self.value <= self.goal
        return "pass" if reached else "FAIL"


class Cost(NamedTuple):
    """What one child process took: CPU seconds (user and system), wall seconds, peak bytes."""

    cpu: float
    wall: float
    peak_bytes: int


def cost(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run `command` once, its output thrown away; raises where it fails.

    A small process starts it: on Linux the peak of a child is at least that of who forked it.
    """
    starter = [sys.executable, "-ISc", _STARTER, *command]
    done = subprocess.run(
        starter, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
    )
    status, cpu, wall, peak = json.loads(done.stdout)
    if status:
        raise subprocess.CalledProcessError(status, command)
    # Linux tells the peak in KiB, macOS in bytes.
    return Cost(cpu, wall, peak * (1 if sys.platform == "darwin" else 1024))


_STARTER = """\
import json, os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), cpu, wall, usage.ru_maxrss]))
"""


def disk() -> str | None:
    """A folder for temporary files that is no memory, which costs other than disks do."""
    return "/var/tmp" if Path("/var/tmp").is_dir() else None


def in_turn(tasks: Mapping[str, Callable[[], Cost]], *, rounds: int) -> dict[str, Cost]:
    """The median cost of each task; they take turns, so that what slows the machine slows all."""
    found: dict[str, list[Cost]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            found[name].append(task())
    return {name: median(costs) for name, costs in found.items()}


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    cpu, wall, peak = (statistics.median(column) for column in zip(*costs, strict=True))
    return Cost(cpu, wall, int(peak))


def warm_memory(folder: Path, size: int) -> None:
    """Write and forget a file of `size` bytes, so that whoever comes next finds memory in use a moment ago.

    A virtual machine gives memory that lies idle back to its host; getting it again costs five
    times what writing the file does, and would be charged to whichever of the two comes later.
    """
    os.sync()  # nobody pays for writing back what another has written
    path = folder / "filler"
    block = bytes(1 << 20)
    with path.open("wb", buffering=0) as file:
        for _ in range(0, size, len(block)):
            file.write(block)
    path.unlink()


def table(results: Sequence[Result]) -> str:
    """The results as aligned text."""
    rows = [("measurement", "measured", "goal", "")]
    for each in results:
        sign = ">=" if each.at_least else "<="
        goal = "" if each.goal is None else f"{sign} {each.goal:,.10g} {each.unit}"
        rows.append((each.what, f"{each.value:,.2f} {each.unit}", goal, each.verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{what:<{widths[0]}}  {value:>{widths[1]}}  {goal:>{widths[2]}}  {verdict}".rstrip()
        for what, value, goal, verdict in rows
    )
