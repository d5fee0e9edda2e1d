"""What goes wrong in real life, on demand: a faulty wire, a server that is killed, a full disk."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Finished, run_here

CHUNK_BYTES = 16 << 10


class Proxy:
    """A wire between client and registry that can be cut, stopped or made to lie.

    `down` counts the bytes that the client received, `up` those that it sent.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.down = self.up = 0
        self.connections = 0
        self.cut_after: int | None = None
        """Close every connection after so many bytes in one direction."""
        self.stall_down: int | None = None
        """Pass nothing on to the client once it has received so many bytes in all."""
        self.stall_up: int | None = None
        self.stalled = threading.Event()
        self.damage_down: Callable[[bytes], bytes] = bytes
        self.damage_up: Callable[[bytes], bytes] = bytes
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._go_on = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def drop(self) -> None:
        """Cut every connection, whole again for the next ones."""
        with self._lock:
            self.stall_down = self.stall_up = None
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        self._go_on.set()
        self._go_on = threading.Event()
        self.stalled.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            parts = urlsplit(self.target)
            try:
                server = socket.create_connection((parts.hostname or "", parts.port or 0))
            except OSError:
                client.close()
                continue
            with self._lock:
                self.connections += 1
                self._open |= {client, server}
            ended: list[None] = []
            self._start(self._pump, server, client, "down", ended)
            self._start(self._pump, client, server, "up", ended)

    def _pump(
        self, source: socket.socket, sink: socket.socket, way: str, ended: list[None]
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if self._waits(way, len(data)):
                    break
                damage: Callable[[bytes], bytes] = getattr(self, f"damage_{way}")
                sink.sendall(damage(data))
                passed += len(data)
                if self.cut_after is not None and passed >= self.cut_after:
                    break
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            ended.append(None)
            if len(ended) == 2:
                self._open -= {source, sink}
                source.close()
                sink.close()

    def _waits(self, way: str, count: int) -> bool:
        """Count the bytes; beyond the limit wait until the connections are dropped."""
        with self._lock:
            limit: int | None = getattr(self, f"stall_{way}")
            if limit is None or getattr(self, way) + count <= limit:
                setattr(self, way, getattr(self, way) + count)
                return False
            go_on = self._go_on
        self.stalled.set()
        go_on.wait(60)
        return True


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
