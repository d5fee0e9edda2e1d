"""Transfers whose client or registry is killed at random moments, or whose wire damages them.

`python -m tests.trouble.random_transfers --count 300`: publishes, installs and upgrades, each again
and again; something happens to it, then the command is repeated until it succeeds. Prints one JSON
object for each kind: in how many rounds something happened, what was wrong after which, and how
many bytes it cost.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modelshelf.store.recipe import SEGMENT_BYTES
from tests.registry.conftest import Client
from tests.trouble import forked
from tests.trouble.aftermath import sent_again, visible_wrong
from tests.trouble.forked import ForkedServer, ProxyProcess
from tests.trouble.proxy import KINDS, Exchange
from tests.trouble.weights import write_model

NAME = "ann/model"
COMMANDS = ("publish", "republish", "install", "upgrade")
VICTIMS = ("client", "server", "wire")
REFUSING = 0.25
"""In this share of its rounds the wire also takes no connections for a while."""
SHARE = 1.02
LOST_BYTES = 1 << 20
"""What one kill may lose, on each of four connections: of what the client sent, 32 KiB that the
registry had in memory and what its system and the proxy's had in theirs, up to 192 KiB; of what it
was sent, 64 KiB."""
BYTES_PER_SECOND = 8 << 20
"""So fast is each connection: a loopback would leave no moments amid segments."""


class Case(NamedTuple):
    """A command, and where it begins: `folder` has the user's `home` and `project`, and `data`.

    `files` are those that it must bring: to the registry, or into the project.
    """

    command: str
    arguments: tuple[str, ...]
    folder: Path
    version: str
    files: dict[str, str]

    @property
    def sends(self) -> bool:
        """Whether it changes the registry, which then begins anew in each round."""
        return self.command in ("publish", "republish")


class Undisturbed(NamedTuple):
    """What the command does when nothing happens: bytes both ways, seconds, and its lock."""

    moved: int
    seconds: float
    lock: bytes


class Round(NamedTuple):
    """One kill, or several faults of the wire: what was wrong then, and the bytes moved in all."""

    killed: bool
    wrong: str | None
    moved: int


class Bench:
    """A registry, a proxy before it, and the folders in which commands begin."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self.server = ForkedServer()
        self.server.start(folder / "empty")
        self.proxy = ProxyProcess(self.server.url, folder / "exchanges")
        self.direct = Client(self.server.url)
        self.cases: dict[str, Case] = {}
        self._undisturbed: dict[str, Undisturbed] = {}
        self._megabytes = megabytes
        self._serving = folder / "empty"
        os.environ["MODELSHELF_REGISTRY"] = self.proxy.url

    def prepare(self) -> None:
        """Make the folders in which the commands begin."""
        forked.prepare()
        self.cases = {each.command: each for each in self._prepared()}

    def serve(self, data: Path) -> None:
        """Have the registry serve this folder, if it does not yet."""
        if data != self._serving or not self.server.process_id:
            self.server.end()
            self.server.start(data)
            self._serving = data

    def undisturbed(self, command: str) -> Undisturbed:
        """What the command does when nothing happens; measured once."""
        if command not in self._undisturbed:
            self.proxy.told(bytes_per_second=BYTES_PER_SECOND)
            self._undisturbed[command] = undisturbed(self, self.cases[command])
        return self._undisturbed[command]

    def close(self) -> None:
        self.server.end()  # a fork of ours, it holds the proxy's standard input open
        self.proxy.close()

    def _prepared(self) -> Iterator[Case]:
        """Run through a history, and keep a copy of it before each command."""
        first = write_model(self.folder / "one", NAME, megabytes=self._megabytes)
        tuned = write_model(
            self.folder / "two", NAME, version="1.1.0", megabytes=self._megabytes, tuned=1
        )
        now = self.folder / "now"
        self.serve(now / "data")
        forked.login(now, "ann")
        install = ("install", NAME, "--format", "safetensors")
        for command, arguments, version, package in (
            ("publish", ("publish", str(first)), "1.0.0", first),
            ("install", install, "1.0.0", first),
            ("republish", ("publish", str(tuned)), "1.1.0", tuned),
            ("upgrade", ("upgrade",), "1.1.0", tuned),
        ):
            kept = self._kept(now, command)
            paths = (
                ["small.safetensors"] if command in ("install", "upgrade") else _contents(package)
            )
            files = {path: _sha256(package / path) for path in paths}
            yield Case(command, arguments, kept, version, files)
            self.serve(now / "data")
            forked.done(now, *arguments)

    def _kept(self, now: Path, command: str) -> Path:
        _wait_for_jobs(now / "data")
        self.server.end()
        return shutil.copytree(now, self.folder / command)


def undisturbed(bench: Bench, case: Case) -> Undisturbed:
    """Run the command once, and measure."""
    folder = _begin(bench, case)
    before = bench.proxy.told(settle=True)
    began = time.monotonic()
    forked.done(folder, *case.arguments)
    seconds = time.monotonic() - began
    moved = bench.proxy.told(settle=True) - before
    assert (told := wrong_at_the_end(bench, case, folder, None)) is None, told
    bench.proxy.exchanges()
    return Undisturbed(moved, seconds, _lock(folder))


def killed_round(
    bench: Bench, case: Case, victim: str, after_seconds: float, like: Undisturbed
) -> Round:
    """Kill one side so long after the beginning, look, and run the command to its end."""
    folder = _begin(bench, case)
    before = bench.proxy.told(settle=True)
    client = forked.begun(folder, *case.arguments)
    time.sleep(after_seconds)
    if victim == "client":
        killed, code = forked.kill(client), -1
    else:
        bench.server.end()
        bench.serve(_data(case, folder))
        killed, code = True, forked.ended(client)
    wrong = wrong_between(bench, case, folder, code) or _to_its_end(case, folder, code, most_runs=1)
    moved = bench.proxy.told(settle=True) - before
    exchanges = bench.proxy.exchanges()
    wrong = (
        wrong
        or wrong_at_the_end(bench, case, folder, like)
        or sent_again(exchanges)
        or too_much(moved, like, LOST_BYTES)
    )
    return _ended(folder, Round(killed, wrong, moved))


def faulty_round(bench: Bench, case: Case, choice: random.Random, like: Undisturbed) -> Round:
    """Run the command over a wire with some faults, look, and run it over one without."""
    folder = _begin(bench, case)
    before = bench.proxy.told(settle=True)
    faults = {"seed": choice.randrange(1 << 30), "rate": choice.choice((0.1, 0.3)), "seconds": 0.1}
    bench.proxy.told(
        faults=faults | {"most": choice.randint(1, 4), "kinds": choice.choice((KINDS, ("flip",)))}
    )
    client = forked.begun(folder, *case.arguments)
    if choice.random() < REFUSING:
        time.sleep(choice.uniform(0, like.seconds))
        bench.proxy.told(refuse=0.5)
    code = forked.ended(client)
    bench.proxy.told(faults=None, settle=True)
    exchanges = bench.proxy.exchanges()
    told = ", ".join(
        f"{each.path.split('?')[0][:40]} {each.fault}" for each in exchanges if each.fault
    )
    wrong = wrong_between(bench, case, folder, code) or _to_its_end(case, folder, code, most_runs=1)
    moved = bench.proxy.told(settle=True) - before
    wrong = (
        wrong
        or wrong_at_the_end(bench, case, folder, like)
        or too_much(moved, like, _cost(exchanges))
    )
    return _ended(folder, Round(bool(told), wrong and f"{told}: {wrong}", moved))


def _cost(exchanges: list[Exchange]) -> int:
    """What the faults may have cost: with a wrong bit goes a segment, or a bundle of them."""
    damaged = sum(each.fault.startswith(("flip", "shorten")) for each in exchanges)
    return LOST_BYTES + damaged * SEGMENT_BYTES


def _to_its_end(case: Case, folder: Path, code: int, most_runs: int = 5) -> str | None:
    """Run the command until it succeeds, if it did not; what to say where it never does."""
    for _ in range(most_runs):
        if code == 0:
            return None
        code = forked.run(folder, *case.arguments)
        if code == 1 and case.sends and "already published" in forked.said(folder):
            return None  # it was killed after its last step
    return None if code == 0 else f"not to its end: {code} {forked.said(folder)}"


def _ended(folder: Path, told: Round) -> Round:
    """Keep for a look what a round left where something was wrong."""
    if told.wrong is not None:
        folder.rename(folder.with_name(f"wrong-{time.monotonic_ns()}"))
    return told


def wrong_between(bench: Bench, case: Case, folder: Path, code: int) -> str | None:
    """What is wrong with what a kill left, or None. `code` is the client's, where it still lived."""
    if code not in (-1, 0, 5, 6):
        return f"ended with {code}: {forked.said(folder)}"
    if told := visible_wrong(bench.direct, NAME, {case.version: case.files} if case.sends else {}):
        return told
    if forked.run(folder, "verify", "--store"):
        return f"verify: {forked.said(folder)}"
    return None


def wrong_at_the_end(
    bench: Bench, case: Case, folder: Path, like: Undisturbed | None
) -> str | None:
    """What is wrong once the command has succeeded, or None."""
    if case.sends:
        fresh = folder / "fresh"
        bench.proxy.told(bytes_per_second=None)
        forked.done(fresh, "install", f"{NAME}@{case.version}", "--format", "safetensors")
        bench.proxy.told(bytes_per_second=BYTES_PER_SECOND)
        placed = fresh / "project" / ".shelf" / NAME / case.version / "small.safetensors"
        if _sha256(placed) != case.files["small.safetensors"]:
            return "another file than was published"
        if forked.run(folder, "registry", "fsck", "--data", str(folder / "data")):
            return f"fsck: {forked.said(folder)}"
        return visible_wrong(bench.direct, NAME, {case.version: case.files}, all_there=True)
    for path, expected in case.files.items():
        placed = folder / "project" / ".shelf" / NAME / case.version / path
        if not placed.exists() or _sha256(placed) != expected:
            return f"{path} is missing or wrong"
    if like is not None and _lock(folder) != like.lock:
        return "another lock"
    if forked.run(folder, "verify", "--store"):
        return f"verify at the end: {forked.said(folder)}"
    return None


def too_much(moved: int, like: Undisturbed, lost: int) -> str | None:
    """What to say where more bytes were moved than the trouble explains, or None."""
    if moved <= SHARE * like.moved + lost:
        return None
    return f"{moved} bytes instead of {like.moved}"


def _data(case: Case, folder: Path) -> Path:
    """The registry's folder in a round: its own where the command changes it."""
    return folder / "data" if case.sends else case.folder / "data"


def _begin(bench: Bench, case: Case) -> Path:
    """A copy of where the command begins, being served."""
    folder = bench.folder / "rounds" / "round"
    ignored = () if case.sends else ("data",)
    if case.sends or (folder / "data").exists():
        bench.server.end()  # it writes there, also a while after it was asked for something
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(case.folder, folder, ignore=shutil.ignore_patterns(*ignored))
    bench.serve(_data(case, folder))
    return folder


def _lock(folder: Path) -> bytes:
    path = folder / "project" / "shelf.lock"
    return path.read_bytes() if path.exists() else b""


def _contents(package: Path) -> list[str]:
    return [path.name for path in package.iterdir()]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _wait_for_jobs(data: Path) -> None:
    """Until the registry has done what it does after a release."""
    until = time.monotonic() + 60
    with contextlib.closing(sqlite3.connect(data / "registry.sqlite")) as database:
        while database.execute("SELECT count(*) FROM job").fetchone()[0]:
            assert time.monotonic() < until
            time.sleep(0.02)


class Told(NamedTuple):
    """What a number of rounds came to. `lost` are bytes beyond those of an undisturbed run."""

    command: str
    victim: str
    killed: int
    wrong: list[str]
    undisturbed: int
    lost_median: int
    lost_most: int


def rounds(bench: Bench, command: str, victim: str, count: int, choice: random.Random) -> Told:
    """Kill `count` times."""
    case, like = bench.cases[command], bench.undisturbed(command)
    seconds = like.seconds
    done: list[Round] = []
    for _ in range(4 * count):
        if sum(each.killed for each in done) == count:
            break
        if victim == "wire":
            done.append(faulty_round(bench, case, choice, like))
            continue
        done.append(killed_round(bench, case, victim, choice.uniform(0, seconds), like))
        if not done[-1].killed:
            seconds *= 0.9  # it ends sooner than was thought
    wrong = [each.wrong for each in done if each.wrong]
    lost = [each.moved - like.moved for each in done]
    killed = sum(each.killed for each in done)
    return Told(command, victim, killed, wrong, like.moved, int(statistics.median(lost)), max(lost))


def main(
    folder: Path, count: int, megabytes: int, seed: int, chosen: tuple[str, ...]
) -> Iterator[Told]:
    """`count` kills in all, over every command and both sides, and half as often a faulty wire."""
    bench = Bench(folder, megabytes)
    try:
        bench.prepare()
        pairs = [(c, v) for c in COMMANDS for v in VICTIMS if f"{c}/{v}" in chosen or not chosen]
        kills = sum(victim != "wire" for _, victim in pairs) or len(pairs)
        for command, victim in pairs:
            choice = random.Random(f"{seed} {command} {victim}")
            yield rounds(bench, command, victim, -(-count // kills), choice)
    finally:
        bench.close()


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__)
    _parser.add_argument("--count", type=int, default=300)
    _parser.add_argument("--megabytes", type=int, default=6)
    _parser.add_argument("--seed", type=int, default=7)
    _parser.add_argument("--only", nargs="*", default=(), help="as publish/server")
    _given = _parser.parse_args()
    _folder, _wrong = Path(tempfile.mkdtemp()), False
    for _told in main(_folder, _given.count, _given.megabytes, _given.seed, tuple(_given.only)):
        sys.stdout.write(json.dumps(_told._asdict()) + "\n")
        sys.stdout.flush()
        _wrong = _wrong or bool(_told.wrong)
    if _wrong:
        sys.exit(f"what was left is in {_folder / 'rounds'}")
    shutil.rmtree(_folder, ignore_errors=True)
