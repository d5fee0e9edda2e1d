"""Many clients of one registry at once: `python -m tests.trouble.crowd --clients 32 --megabytes 40`.

Each is a process that installs the same package into a home of its own; all begin together. Prints
one JSON object: how long they took, and what it cost the registry.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.trouble import forked
from tests.trouble.conftest import ServerProcess
from tests.trouble.weights import write_model

NAME = "ann/model"


def status(server: ServerProcess) -> dict[str, int]:
    """Threads, connections and memory (KiB) of the registry."""
    process = Path("/proc") / str(server.process_id)
    lines = (line.split() for line in (process / "status").read_text().splitlines())
    kept = {words[0][:-1]: int(words[1]) for words in lines if words[0] in _KEPT}
    sockets = 0
    for path in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed a moment ago
            sockets += path.readlink().name.startswith("socket:")
    return kept | {"sockets": sockets}


_KEPT = ("VmHWM:", "VmRSS:", "Threads:")


def together(folder: Path, count: int) -> list[float]:
    """Let `count` clients install at once → the seconds that each took, in the order of their end."""
    gate, opened = os.pipe()
    children = []
    for number in range(count):
        home = folder / str(number)
        child = os.fork()
        if not child:
            os.close(opened)
            os.read(gate, 1)  # until all are there
            forked.done(home, "install", NAME, "--format", "safetensors")
            os._exit(0)
        children.append(child)
    os.close(opened)
    began = time.monotonic()
    taken = []
    for _ in children:
        _, code = os.wait()
        assert code == 0
        taken.append(time.monotonic() - began)
    os.close(gate)
    return taken


def wrong(folder: Path, count: int, expected: str) -> list[str]:
    """The clients whose file is not the one that was published."""
    found = []
    for number in range(count):
        path = folder / str(number) / "project" / ".shelf" / NAME / "1.0.0" / "small.safetensors"
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            found.append(str(number))
    return found


def crowd(folder: Path, clients: int, megabytes: int, rounds: int = 1) -> dict[str, object]:
    """Publish a package and have `clients` install it at once, `rounds` times."""
    package = write_model(folder / "package", NAME, megabytes=megabytes)
    expected = hashlib.sha256((package / "small.safetensors").read_bytes()).hexdigest()
    server = ServerProcess(folder / "data")
    os.environ["MODELSHELF_REGISTRY"] = server.start()
    try:
        forked.login(folder / "publisher", "ann")
        forked.done(folder / "publisher", "publish", str(package))
        forked.done(folder / "first", "install", NAME, "--format", "safetensors")
        before = status(server)
        told = []
        for number in range(rounds):
            taken = together(folder / f"round{number}", clients)
            told.append(_told(taken) | status(server))
            assert not wrong(folder / f"round{number}", clients, expected)
        return {"before": before, "rounds": told, "after": settled(server, before)}
    finally:
        server.stop()


def settled(server: ServerProcess, before: dict[str, int]) -> dict[str, int]:
    """How the registry is once every connection has ended."""
    until = time.monotonic() + 20
    while (now := status(server))["sockets"] > before["sockets"] and time.monotonic() < until:
        time.sleep(0.05)
    return now


def _told(taken: list[float]) -> dict[str, float]:
    fastest, middle, slowest = taken[0], statistics.median(taken), taken[-1]
    return {
        "fastest": round(fastest, 2),
        "median": round(middle, 2),
        "slowest": round(slowest, 2),
        "slowest_to_median": round(slowest / middle, 2),
    }


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__)
    _parser.add_argument("--clients", type=int, default=32)
    _parser.add_argument("--megabytes", type=int, default=40)
    _parser.add_argument("--rounds", type=int, default=2)
    _given = _parser.parse_args()
    with tempfile.TemporaryDirectory() as _folder:
        _found = crowd(Path(_folder), _given.clients, _given.megabytes, _given.rounds)
    sys.stdout.write(json.dumps(_found, indent=2) + "\n")
