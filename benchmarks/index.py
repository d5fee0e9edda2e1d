"""The index: how many documents the registry sends for one second of its CPU time."""

from __future__ import annotations

import socket
import statistics
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from benchmarks import registry
from benchmarks.measure import Result

CONNECTIONS = 16
REQUESTS = 16_000
ROUNDS = 3
GOAL = 10_000


def measure(folder: Path) -> list[Result]:
    """Whole documents (200) and unchanged ones (304), over connections that stay open."""
    with registry.running(folder) as live:
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            registry.publish(live, folder / "package", "small", version, size=1000)
        with _Load(live.url, f"/index/{registry.PUBLISHER}/small.jsonl") as load:
            whole, etag = load.first()
            unchanged = f"If-None-Match: {etag}\r\n"
            rates: dict[str, list[float]] = {"200": [], "304": []}
            for _ in range(ROUNDS):
                rates["200"].append(_rate(live, load, "", 200))
                rates["304"].append(_rate(live, load, unchanged, 304))
    return [
        Result("index: size of the document", len(whole), "bytes"),
        Result(
            "index: documents sent (200)", statistics.median(rates["200"]), "per CPU second",
            GOAL, at_least=True,
        ),
        Result(
            "index: unchanged (304)", statistics.median(rates["304"]), "per CPU second",
            GOAL, at_least=True,
        ),
    ]  # fmt: skip


def _rate(live: registry.Live, load: _Load, headers: str, status: int) -> float:
    load.run(headers, status, CONNECTIONS * 20)
    before = live.cpu_seconds()
    load.run(headers, status, REQUESTS)
    return REQUESTS / (live.cpu_seconds() - before)


class _Load:
    """Connections that each have one request under way; only the server's cost is measured."""

    def __init__(self, url: str, path: str) -> None:
        parts = urlsplit(url)
        self._request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n"
        address = (parts.hostname or "", parts.port or 80)
        self._sockets = [socket.create_connection(address, 30) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()

    def first(self) -> tuple[bytes, str]:
        """The document and its ETag."""
        head, body = self._exchange("", 200)
        etag = next(
            line.split(": ", 1)[1]
            for line in head.split("\r\n")
            if line.lower().startswith("etag: ")
        )
        return body, etag

    def run(self, headers: str, status: int, count: int) -> None:
        """`count` requests with the header lines `headers`, all answered with `status`."""
        head, body = self._exchange(headers, status)
        # every answer has the same length, so nothing needs to be understood
        length = len(head) + 4 + len(body)
        request = f"{self._request}{headers}\r\n".encode()
        begun = f"HTTP/1.1 {status} ".encode()
        for _ in range(count // CONNECTIONS):
            for each in self._sockets:
                each.sendall(request)
            for each in self._sockets:
                answer = _received(each, length)
                assert answer.startswith(begun), answer[:200]

    def _exchange(self, headers: str, status: int) -> tuple[str, bytes]:
        """One request; head and body of its answer."""
        connection = self._sockets[0]
        connection.sendall(f"{self._request}{headers}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1 << 16)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode()), head
        text = head.decode("latin-1")
        lengths = [
            int(line.split(":", 1)[1])
            for line in text.split("\r\n")
            if line.lower().startswith("content-length:")
        ]
        left = (lengths[0] if lengths and status == 200 else 0) - len(body)
        return text, body + (_received(connection, left) if left else b"")


def _received(connection: socket.socket, length: int) -> bytes:
    answer = connection.recv(length)
    while len(answer) < length:
        more = connection.recv(length - len(answer))
        if not more:
            raise ConnectionError("the registry closed the connection")
        answer += more
    return answer
