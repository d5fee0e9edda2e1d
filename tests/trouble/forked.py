"""Commands and registries in forks, which share what was imported: cheap enough for many rounds."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from modelshelf.cli import main
from tests.conftest import PASSWORD
from tests.trouble.proxy import Exchange

WAITS_SECONDS = 120.0
_ACTS = re.compile(r"\.(__main__|migrations|traced)\b")
"""Modules that do something when they are imported."""


def prepare() -> None:
    """Import what the forks will need, once for all."""
    for room in ("cli", "client", "registry", "checks", "formats", "store", "solver", "package"):
        package = importlib.import_module(f"modelshelf.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not _ACTS.search(module.name):
                importlib.import_module(module.name)
    for name in ("alembic.command", "sqlalchemy.dialects.sqlite", "numpy", "uvicorn"):
        importlib.import_module(name)


def begun(folder: Path, *arguments: str, stdin: str = "") -> int:
    """The process number of a fork that runs `shelf` with the home and the project in `folder`.

    What it prints goes to `folder/told`.
    """
    (folder / "project").mkdir(parents=True, exist_ok=True)
    (folder / "project" / "shelf.toml").touch()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ["MODELSHELF_HOME"] = str(folder / "home")
        os.chdir(folder / "project")
        told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(told, 1)
        os.dup2(told, 2)
        _give(stdin)
        code = main([*arguments, "--quiet"])
    except BaseException:  # noqa: BLE001 (a fork must not go on in its parent's place)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> int:
    """The exit code of a fork; what does not end in two minutes hangs, and is killed for it."""
    until = time.monotonic() + WAITS_SECONDS
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("a command hangs")


def run(folder: Path, *arguments: str, stdin: str = "") -> int:
    """The command to its end → exit code."""
    return ended(begun(folder, *arguments, stdin=stdin))


def done(folder: Path, *arguments: str, stdin: str = "") -> None:
    """The command to its end, which must be a good one."""
    assert run(folder, *arguments, stdin=stdin) == 0, f"{arguments}: {said(folder)}"


def said(folder: Path) -> str:
    """What the last command in `folder` printed."""
    return (folder / "told").read_text()


def login(folder: Path, account: str) -> None:
    """Open an account and keep its token in `folder`."""
    done(folder, "login", account, "--create", "--password-stdin", stdin=PASSWORD)


def _give(stdin: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, stdin.encode())
    os.close(writing)
    os.dup2(reading, 0)
    sys.stdin = os.fdopen(0, closefd=False)


class ForkedServer:
    """`shelf registry serve` in a fork, on the same port each time."""

    def __init__(self) -> None:
        self._port = "0"
        self.url = ""
        self.process_id = 0

    def start(self, data: Path) -> str:
        """Start on a folder, and give the URL once the server answers."""
        data.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        self.process_id = os.fork()
        if not self.process_id:
            self._serve(data, writing)
        os.close(writing)
        with os.fdopen(reading) as answers:
            self.url = str(json.loads(answers.readline())["url"])
        self._port = self.url.rpartition(":")[2]
        return self.url

    def _serve(self, data: Path, answers: int) -> None:
        try:
            log = os.open(f"{data}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(answers, 1)
            os.dup2(log, 2)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            where = ("--data", str(data), "--port", self._port)
            main(["registry", "serve", "--json", *where])
        finally:
            os._exit(1)

    def end(self, number: int = signal.SIGKILL) -> None:
        """Kill it: nothing is finished, nothing is cleaned up. SIGTERM does as an operator would."""
        if self.process_id:
            os.kill(self.process_id, number)
            os.waitpid(self.process_id, 0)
            self.process_id = 0


class ProxyProcess:
    """A proxy in a process of its own; see `proxy.obey` for what it can be told."""

    def __init__(self, target: str, log: Path) -> None:
        self._log = log
        command = [sys.executable, "-m", "tests.trouble.proxy", target, str(log)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = str(self._answer()["url"])

    def told(self, **order: object) -> int:
        """Have it do something; gives how many bytes have passed so far, both ways together."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return int(answer["up"]) + int(answer["down"])

    def exchanges(self) -> list[Exchange]:
        """What has passed since this was asked last; settle it first."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        self._log.write_text("")
        return [Exchange(**json.loads(line)) for line in lines]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def kill(child: int) -> bool:
    """Kill a fork now; whether it was still running."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
