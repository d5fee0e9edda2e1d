"""Start-up: what the command line costs beyond starting Python."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks import registry
from benchmarks.measure import Cost, Result, cost, in_turn

ROUNDS = 41


def measure(folder: Path) -> list[Result]:
    """The warm no-op and `--help`, each against a Python that does nothing."""
    with registry.running(folder) as live:
        registry.publish(live, folder / "package", "small", "1.0.0", size=1000)
        project = registry.project(folder / "project")
        subprocess.run(
            [registry.SHELF, "install", "bench/small"],
            cwd=project,
            env=live.env,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        # the registry is gone from here on: a warm no-op asks nobody
    module = [sys.executable, "-m", "modelshelf.cli"]
    commands = {
        "nothing": [sys.executable, "-c", "pass"],
        "install": [registry.SHELF, "install"],
        "install named": [registry.SHELF, "install", "bench/small"],
        "install -m": [*module, "install"],
        "help": [registry.SHELF, "--help"],
    }
    tasks = {
        name: partial(cost, command, cwd=project, env=live.env)
        for name, command in commands.items()
    }
    return _results(in_turn(tasks, rounds=ROUNDS))


def _results(found: dict[str, Cost]) -> list[Result]:
    nothing = found["nothing"].cpu

    def beyond(name: str) -> float:
        return (found[name].cpu - nothing) * 1000

    return [
        Result("start-up: python -c pass", nothing * 1000, "ms CPU"),
        Result("start-up: warm `shelf install`, beyond that", beyond("install"), "ms CPU", 3),
        Result(
            "start-up: warm `shelf install NAME`, beyond that", beyond("install named"), "ms CPU", 3
        ),
        Result("start-up: the same by `python -m modelshelf.cli`", beyond("install -m"), "ms CPU"),
        Result("start-up: `shelf --help`, beyond that", beyond("help"), "ms CPU", 20),
    ]
