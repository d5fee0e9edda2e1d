"""What goes wrong in real life, on demand: a faulty wire, a server that is killed, a full disk."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Finished, run_here
from tests.trouble.proxy import Proxy


class ServerProcess:
    """`shelf registry serve` in a process of its own, on the same folder and port each time."""

    def __init__(self, data: Path, limit_bytes: int | None = None) -> None:
        self.data = data
        self._limit_bytes = limit_bytes
        self._port = "0"
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start, and give the URL once the server answers."""
        command = command_line(
            "registry", "serve", "--json", "--data", str(self.data), "--port", self._port,
            limit_bytes=self._limit_bytes,
        )  # fmt: skip
        with self.data.with_name(f"{self.data.name}.log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        self.url = str(json.loads(self._process.stdout.readline())["url"])
        self._port = self.url.rpartition(":")[2]
        return self.url

    @property
    def process_id(self) -> int:
        """The number of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is cleaned up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, as an operator would."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


LIMITED = """\
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from modelshelf.cli import main
sys.exit(main(sys.argv[2:]))
"""


def command_line(*arguments: str, limit_bytes: int | None) -> list[str]:
    """`shelf` with these arguments, in a process whose files cannot become longer than that."""
    if limit_bytes is None:
        return [sys.executable, "-m", "modelshelf.cli", *arguments]
    return [sys.executable, "-c", LIMITED, str(limit_bytes), *arguments]


def token(user_env: dict[str, str]) -> str:
    """The token that `shelf login` kept."""
    kept = json.loads((Path(user_env["MODELSHELF_HOME"]) / "settings.json").read_text())
    return str(next(iter(kept["tokens"].values())))


@pytest.fixture
def proxy(registry_url: str) -> Iterator[Proxy]:
    """A wire to the registry that all tests share."""
    proxy = Proxy(registry_url)
    yield proxy
    proxy.close()


@pytest.fixture
def wired(project: Path, user_env: dict[str, str], proxy: Proxy) -> Callable[..., Finished]:
    """The command line, in the project, with the registry behind the proxy, logged in as before."""

    def run(*arguments: str, stdin: str = "") -> Finished:
        env = user_env | {"MODELSHELF_REGISTRY": proxy.url, "MODELSHELF_TOKEN": token(user_env)}
        return run_here(*arguments, cwd=project, env=env, stdin=stdin)

    return run


@contextlib.contextmanager
def small_disk(folder: Path, count: int) -> Iterator[int | None]:
    """Let `folder` be on a disk of `count` bytes.

    Where nothing may be mounted, gives how long the files of a process on it may become.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={count}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield None if mounted else count
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
