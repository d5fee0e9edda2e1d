"""Solving: CPU seconds of our solver and of its peers on the same shelves, each in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Result
from benchmarks.shelves import SHELVES
from benchmarks.solvers import SOLVERS

OURS = "modelshelf"
LONGEST_SECONDS = 60
ROUNDS = 5
SECONDS_WORTH_ROUNDS = 2.0
GOALS = {"large": 0.5, "unsatisfiable": 0.05}
ABSENT = 3
"""What a child process ends with where its solver is not installed."""


def measure(folder: Path) -> list[Result]:
    """Every shelf by every solver that is installed; a peer over the limit is stopped and told."""
    results = []
    for shelf in SHELVES:
        seconds = {solver: _median(solver, shelf, folder) for solver in SOLVERS}
        ours = seconds.pop(OURS)
        assert ours is not None
        results.append(Result(f"solve: {shelf}", ours * 1000, "ms", _goal(shelf)))
        for peer, taken in seconds.items():
            if taken is not None:
                more = ">" if taken >= LONGEST_SECONDS else ""
                results += [
                    Result(
                        f"solve: {shelf}, {peer}{' (stopped there)' if more else ''}",
                        taken * 1000,
                        "ms",
                    ),
                    Result(f"solve: {shelf}, ours against {peer}", ours / taken, "times", 1),
                ]
    return results


def _goal(shelf: str) -> float | None:
    return GOALS[shelf] * 1000 if shelf in GOALS else None


def _median(solver: str, shelf: str, folder: Path) -> float | None:
    """CPU seconds; None where the solver is not installed."""
    found: list[float] = []
    while len(found) < ROUNDS:
        seconds = _once(solver, shelf, folder)
        if seconds is None:
            return None
        found.append(seconds)
        if seconds > SECONDS_WORTH_ROUNDS:
            break
    return statistics.median(found)


def _once(solver: str, shelf: str, folder: Path) -> float | None:
    command = [sys.executable, "-m", "benchmarks.solve", solver, shelf]
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"  {solver} did not solve {shelf} in {LONGEST_SECONDS} s\n")
        return LONGEST_SECONDS
    if child.returncode == ABSENT:
        sys.stderr.write(
            f"  {solver} is not installed: pip install -r benchmarks/requirements.txt\n"
        )
        return None
    if child.returncode:
        raise RuntimeError(f"{solver} failed on {shelf}: {child.stderr}")
    return float(json.loads(child.stdout))


def main(solver: str, shelf: str) -> None:
    """In the child: make it ready, solve it, check the answer, print the CPU seconds it took."""
    asked = SHELVES[shelf]()
    try:
        ready = SOLVERS[solver](asked)
    except ImportError:
        sys.exit(ABSENT)
    gc.freeze()  # what was made ready is no garbage of the solver's
    started = time.process_time()
    answer = ready()
    taken = time.process_time() - started
    possible = shelf != "unsatisfiable"
    assert (answer is not None) == possible, "a wrong answer"
    assert answer is None or asked.answers(answer), "no solution"
    print(json.dumps(taken), flush=True)
    os._exit(0)  # threads of a peer's runtime can break an orderly end


if __name__ == "__main__":
    main(*sys.argv[1:])
