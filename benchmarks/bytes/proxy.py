"""A proxy that counts: between clients and a registry, what went up, what came down, and what of it
was bodies."""

from __future__ import annotations

import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_BLOCK = 1 << 18


@dataclass
class Count:
    """Bytes since the last `reset`: all of them in both directions, and bodies of answers by path."""

    up: int = 0
    down: int = 0
    requests: int = 0
    bodies: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Begin at nought."""
        with self._lock:
            self.up = self.down = self.requests = 0
            self.bodies.clear()

    def add(self, *, up: int = 0, down: int = 0, requests: int = 0) -> None:
        """Count bytes and requests."""
        with self._lock:
            self.up += up
            self.down += down
            self.requests += requests

    def add_body(self, path: str, size: int) -> None:
        """Count bytes of the body of an answer for `path`."""
        with self._lock:
            self.bodies[path.partition("?")[0]] += size


@contextmanager
def counting(url: str) -> Iterator[tuple[str, Count]]:
    """A proxy before the registry at `url`: its own address, and its count."""
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 80)
    count = Count()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=_accept, args=(listener, target, count), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", count
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, target: tuple[str, int], count: Count) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(target)
        requests = _Requests(count)
        answers = _Answers(count, requests)
        for source, sink, heard in (
            (client, server, requests.hear),
            (server, client, answers.hear),
        ):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pass_on, args=(source, sink, heard), daemon=True).start()


def _pass_on(
    source: socket.socket, sink: socket.socket, heard: Callable[[memoryview], None]
) -> None:
    buffer = memoryview(bytearray(_BLOCK))
    try:
        while size := source.recv_into(buffer):
            heard(buffer[:size])
            sink.sendall(buffer[:size])
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # one side has gone: so does the other
        for each in (source, sink):
            each.close()


class _Stream:
    """Messages of HTTP/1.1 one after another, of which heads are read and bodies counted."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._chunked: _Chunks | None = None

    def hear(self, data: memoryview) -> None:
        while data:
            if self._chunked is not None:
                size = self._chunked.hear(data)
                if self._chunked.done:
                    self._chunked = None
            elif self._left:
                size = min(self._left, len(data))
                self._left -= size
            else:
                data = self._hear_head(data)
                continue
            self.body(size)
            data = data[size:]

    def _hear_head(self, data: memoryview) -> memoryview:
        before = len(self._head)
        self._head += bytes(data)
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return data[:0]
        head, self._head = self._head[:end].decode("latin-1"), b""
        first, *lines = head.split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        if self.head(first):
            self._left = int(fields.get("content-length", 0))
            if fields.get("transfer-encoding", "").lower() == "chunked":
                self._chunked = _Chunks()
        return data[end + 4 - before :]

    def head(self, first: str) -> bool:
        """Told the first line of a message; whether a body may follow."""
        raise NotImplementedError

    def body(self, size: int) -> None:
        """Told of `size` more bytes of the body of the message in hand."""


class _Requests(_Stream):
    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count
        self.asked: deque[tuple[str, str]] = deque()

    def hear(self, data: memoryview) -> None:
        self._count.add(up=len(data))
        super().hear(data)

    def head(self, first: str) -> bool:
        method, path, _ = first.split(" ", 2)
        self.asked.append((method, path))
        self._count.add(requests=1)
        return True


class _Answers(_Stream):
    def __init__(self, count: Count, requests: _Requests) -> None:
        super().__init__()
        self._count, self._requests = count, requests
        self._path = ""

    def hear(self, data: memoryview) -> None:
        self._count.add(down=len(data))
        super().hear(data)

    def head(self, first: str) -> bool:
        status = int(first.split(" ")[1])
        if status < 200:
            return False
        method, self._path = self._requests.asked.popleft()
        return method != "HEAD" and status not in {204, 304}

    def body(self, size: int) -> None:
        self._count.add_body(self._path, size)


class _Chunks:
    """The chunks of one body, whose frames are counted as part of it; no trailers."""

    def __init__(self) -> None:
        self._line = b""
        self._left = 0
        self._last = False

    @property
    def done(self) -> bool:
        """Whether the body has ended."""
        return self._last and not self._left

    def hear(self, data: memoryview) -> int:
        """How many bytes of `data` belong to the body."""
        at = 0
        while at < len(data) and not self.done:
            if self._left:
                size = min(self._left, len(data) - at)
                self._left -= size
                at += size
            else:
                self._hear_size(data[at])
                at += 1
        return at

    def _hear_size(self, byte: int) -> None:
        self._line += bytes((byte,))
        if self._line.endswith(b"\r\n"):
            size = int(self._line.partition(b";")[0], 16)
            self._line, self._last = b"", size == 0
            self._left = size + 2  # and the end of its line
