"""Run a command again and again, killed at a random moment; then look, and run it to its end.

`python random_kills.py START ROUNDS SEED COMMAND...`: START holds `home` and `project`; every round
begins with a copy of it and is forked, so that what was imported is shared. Prints one JSON object:
how many rounds were killed before their end, and what was wrong after which.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from modelshelf.cli import main


def run(folder: Path, command: list[str]) -> int:
    """The command line in a fork, with the home and the project in `folder`; gives its exit code."""
    child = started(folder, command)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def started(folder: Path, command: list[str]) -> int:
    """The process number of a fork that runs it. What it prints goes to `folder/told`."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(told, 1)
        os.dup2(told, 2)
        code = here(folder, command)
    finally:
        os._exit(code)


def here(folder: Path, command: list[str]) -> int:
    os.environ["MODELSHELF_HOME"] = str(folder / "home")
    os.chdir(folder / "project")
    return main([*command, "--quiet"])


def killed(folder: Path, command: list[str], after_seconds: float) -> bool:
    """Whether it was killed before it ended."""
    child = started(folder, command)
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def lock_of(folder: Path) -> bytes:
    path = folder / "project" / "shelf.lock"
    return path.read_bytes() if path.exists() else b""


def wrong_after(folder: Path, command: list[str], lock: bytes) -> str | None:
    """What is wrong with what a killed command left, or None."""
    if run(folder, ["verify", "--store"]):
        return f"verify: {(folder / 'told').read_text()}"
    # who has removed a package cannot do so again: only its files are still to go
    done = command[0] == "remove" and lock_of(folder) == lock
    if run(folder, ["sync"] if done else command):
        return f"again: {(folder / 'told').read_text()}"
    if lock_of(folder) != lock:
        return "another lock"
    if run(folder, ["verify", "--store"]):
        return f"verify at the end: {(folder / 'told').read_text()}"
    return None


def rounds(start: Path, count: int, seed: int, command: list[str]) -> dict[str, object]:
    """Kill it `count` times."""
    undisturbed = shutil.copytree(start, start.with_name("undisturbed"))
    assert here(undisturbed, command) == 0  # imports what the forks share
    assert here(undisturbed, ["verify", "--store"]) == 0
    timed = shutil.copytree(start, start.with_name("timed"))
    began = time.perf_counter()
    assert run(timed, command) == 0, (timed / "told").read_text()
    seconds = time.perf_counter() - began
    choice, killed_rounds, wrong = random.Random(seed), 0, []
    for number in range(4 * count):
        if killed_rounds == count:
            break
        folder = shutil.copytree(start, start.with_name(f"round-{number}"))
        if killed(folder, command, choice.uniform(0, seconds)):
            killed_rounds += 1
            told = wrong_after(folder, command, lock_of(undisturbed))
            wrong += [] if told is None else [f"{number}: {told}"]
        else:
            seconds *= 0.9  # it ends sooner than was thought
        shutil.rmtree(folder)
    return {"killed": killed_rounds, "wrong": wrong}


if __name__ == "__main__":
    _start, _count, _seed, *_command = sys.argv[1:]
    _told = rounds(Path(_start), int(_count), int(_seed), _command)
    sys.stdout.write(json.dumps(_told) + "\n")
