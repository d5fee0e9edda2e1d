"""A wire between client and registry that counts, breaks, stops and lies: on demand or by a seed.

`python -m tests.trouble.proxy TARGET LOG`: the same as a process of its own, told what to do by
lines of JSON. Each exchange that has ended is written to LOG, one a line.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from tests.trouble.messages import ENDLESS, Messages, Part, declared_length

CHUNK_BYTES = 16 << 10
BUFFER_BYTES = 32 << 10
"""What the system holds for each connection on each side of the proxy, at most twice of it."""
REMEMBERED_BYTES = 64 << 10
"""So much of an answer in JSON is kept with its exchange."""


@dataclass
class Exchange:
    """One request and its answer: what was passed on of both, heads and bodies."""

    method: str
    path: str
    up: int = 0
    down: int = 0
    status: int = 0
    whole: bool = False
    """Whether the answer was passed on to its last byte."""
    told: str = ""
    """The answer's body where it is JSON."""
    fault: str = ""


class Fault(NamedTuple):
    """What happens to a body at byte `at`.

    `cut`: the connection ends there. `shorten`: so does the body, and its head says so. `flip`: one
    bit is another. `drip`: for `seconds`, a little at a time. `stall`: nothing comes for `seconds`.
    """

    kind: str
    at: int
    seconds: float = 0.0


Faults = Callable[[Exchange, str, int], Fault | None]
"""Exchange, way (`up`, `down`) and length of a body → what happens to it."""


def no_faults(_exchange: Exchange, _way: str, _length: int) -> Fault | None:
    """A wire as it should be."""
    return None


KINDS = ("cut", "shorten", "flip", "drip", "stall")


class RandomFaults:
    """Every body suffers with the probability `rate`, at a random place, `most` times in all."""

    def __init__(
        self, seed: int, rate: float, *, kinds: tuple[str, ...] = KINDS, most: int = 1 << 30,
        paths: str = "", seconds: float = 0.2,
    ) -> None:  # fmt: skip
        self._random = random.Random(seed)
        self._rate = rate
        self._kinds = kinds
        self._left = most
        self._paths = re.compile(paths)
        self._seconds = seconds
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange, way: str, length: int) -> Fault | None:
        """See `Faults`."""
        with self._lock:
            if (
                self._left <= 0
                or not self._paths.search(exchange.path)
                or self._random.random() >= self._rate
            ):
                return None
            self._left -= 1
            kind = self._random.choice([k for k in self._kinds if k != "shorten" or way == "down"])
            return Fault(kind, self._random.randrange(length), self._seconds)


@dataclass
class Wire:
    """One connection through the proxy."""

    client: socket.socket
    server: socket.socket
    waiting: deque[Exchange] = field(default_factory=deque)
    sending: Exchange | None = None
    faults: dict[str, Fault | None] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    json: bool = False
    ended: int = 0

    def shut(self) -> None:
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.client.close()
        self.server.close()


class Cut(Exception):
    """The connection ends here."""


class Proxy:
    """A wire between client and registry that can be cut, stopped or made to lie.

    `down` counts the bytes that were passed on to the client, `up` those to the registry.
    """

    def __init__(self, target: str, log: IO[str] | None = None) -> None:
        self.target = target
        self.down = self.up = 0
        self.connections = 0
        self.exchanges: list[Exchange] = []
        self.faults: Faults = no_faults
        self.bytes_per_second: float | None = None
        """How fast each connection is, in each direction."""
        self.cut_after: int | None = None
        """Close every connection after so many bytes in one direction."""
        self.stall_down: int | None = None
        """Pass nothing on to the client once it has received so many bytes in all."""
        self.stall_up: int | None = None
        self.stalled = threading.Event()
        self.damage_down: Callable[[bytes], bytes] = bytes
        self.damage_up: Callable[[bytes], bytes] = bytes
        self._log = log
        self._lock = threading.Lock()
        self._open: list[Wire] = []
        self._threads: list[threading.Thread] = []
        self._go_on = threading.Event()
        self._listening = _listen(0)
        self._port = int(self._listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._start(self._accept, self._listening)

    def drop(self) -> None:
        """Cut every connection, whole again for the next ones."""
        with self._lock:
            self.stall_down = self.stall_up = None
            for each in self._open:
                each.shut()
        self._go_on.set()
        self._go_on = threading.Event()
        self.stalled.clear()

    def refuse(self) -> None:
        """Take no connections until `listen`, and cut those that there are."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop()

    def listen(self) -> None:
        """Take connections again."""
        self._listening = _listen(self._port)
        self._start(self._accept, self._listening)

    def settle(self) -> None:
        """Wait until every connection has ended, so that all that passes is counted."""
        until = time.monotonic() + 30
        while self._open:
            assert time.monotonic() < until, "a connection does not end"
            time.sleep(0.005)

    def close(self) -> None:
        self.refuse()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            parts = urlsplit(self.target)
            try:
                server = _connect(parts.hostname or "", parts.port or 0)
            except OSError:
                client.close()
                continue
            wire = Wire(client, server)
            with self._lock:
                self.connections += 1
                self._open.append(wire)
            self._start(self._pump, wire, "down")
            self._start(self._pump, wire, "up")

    def _pump(self, wire: Wire, way: str) -> None:
        source, take = (wire.client, self._request) if way == "up" else (wire.server, self._answer)
        messages = Messages(
            declared_length if way == "up" else lambda head: _answer_length(head, wire)
        )
        with contextlib.suppress(OSError, Cut):
            while data := source.recv(CHUNK_BYTES):
                for part in messages.parts(data):
                    take(wire, part)
        wire.shut()
        with self._lock:
            wire.ended += 1
            if wire.ended == 2:
                self._open.remove(wire)
                wire.close()
                for each in wire.waiting:
                    self._keep(each)

    def _request(self, wire: Wire, part: Part) -> None:
        if part.head is not None:
            method, path, *_ = part.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            exchange = wire.sending = Exchange(method, path)
            wire.waiting.append(exchange)
            wire.faults["up"] = self._fault(exchange, "up", part.length)
            self._pass(wire, "up", part.head, exchange)
        elif wire.sending:
            self._body(wire, "up", part, wire.sending)

    def _answer(self, wire: Wire, part: Part) -> None:
        if not wire.waiting:
            raise Cut
        exchange = wire.waiting[0]
        if part.head is not None:
            exchange.status = int(part.head.split(b" ", 2)[1])
            wire.json = b"application/json" in part.head
            fault = wire.faults["down"] = self._fault(exchange, "down", part.length)
            head = part.head
            if fault and fault.kind == "shorten":
                length = rb"\g<1>%d" % fault.at
                head = re.sub(rb"(?i)(\r\ncontent-length: *)\d+", length, head)
            self._pass(wire, "down", head, exchange)
        else:
            self._body(wire, "down", part, exchange)
        if part.at + len(part.body) == part.length:
            exchange.whole = True
            with self._lock:
                wire.waiting.popleft()
                self._keep(exchange)

    def _fault(self, exchange: Exchange, way: str, length: int) -> Fault | None:
        return self.faults(exchange, way, length) if 0 < length < ENDLESS else None

    def _body(self, wire: Wire, way: str, part: Part, exchange: Exchange) -> None:
        fault = wire.faults.get(way)
        reached = fault is not None and part.at <= fault.at < part.at + len(part.body)
        if fault and reached:
            exchange.fault = exchange.fault or f"{fault.kind} {way} at {fault.at} of {part.length}"
        for data in _faulty(part, fault) if fault else [part.body]:
            if way == "down" and wire.json and len(exchange.told) < REMEMBERED_BYTES:
                exchange.told += data.decode("latin-1")
            self._pass(wire, way, data, exchange)
        if fault and reached and fault.kind == "cut":
            raise Cut

    def _pass(self, wire: Wire, way: str, data: bytes, exchange: Exchange) -> None:
        if self._waits(way, len(data)):
            raise Cut
        damage: Callable[[bytes], bytes] = getattr(self, f"damage_{way}")
        (wire.server if way == "up" else wire.client).sendall(damage(data))
        with self._lock:
            setattr(self, way, getattr(self, way) + len(data))
        setattr(exchange, way, getattr(exchange, way) + len(data))
        if self.bytes_per_second:
            time.sleep(len(data) / self.bytes_per_second)
        passed = wire.passed[way] = wire.passed[way] + len(data)
        if self.cut_after is not None and passed >= self.cut_after:
            raise Cut

    def _waits(self, way: str, count: int) -> bool:
        """Whether so many more are too many: then it waits until the connections are dropped."""
        with self._lock:
            limit: int | None = getattr(self, f"stall_{way}")
            if limit is None or getattr(self, way) + count <= limit:
                return False
            go_on = self._go_on
        self.stalled.set()
        go_on.wait(60)
        return True

    def _keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if self._log is not None:
            self._log.write(json.dumps(asdict(exchange)) + "\n")
            self._log.flush()


def _faulty(part: Part, fault: Fault) -> Iterator[bytes]:
    """What is passed on of a piece of a body, at its own pace."""
    at = fault.at - part.at
    before, after = part.body[: max(at, 0)], part.body[max(at, 0) :]
    reached = 0 <= at < len(part.body)
    if before:
        yield before
    if not after or fault.kind in ("cut", "shorten"):
        return
    if reached and fault.kind == "flip":
        after = bytes([after[0] ^ 0x10]) + after[1:]
    if reached and fault.kind == "stall":
        time.sleep(fault.seconds)
    if reached and fault.kind == "drip":
        for byte in after[:10]:
            yield bytes([byte])
            time.sleep(fault.seconds / 10)
        after = after[10:]
    yield after


def _answer_length(head: bytes, wire: Wire) -> int:
    status = int(head.split(b" ", 2)[1])
    without = status in (204, 304) or (wire.waiting and wire.waiting[0].method == "HEAD")
    return 0 if without else declared_length(head)


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    listening.bind(("127.0.0.1", port))
    listening.listen(64)
    return listening


def _connect(host: str, port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    try:
        server.connect((host, port))
    except OSError:
        server.close()
        raise
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def obey(proxy: Proxy, order: dict[str, Any]) -> dict[str, int]:
    """Do what one line says, and tell what has passed so far."""
    if "faults" in order:
        told = order["faults"]
        proxy.faults = RandomFaults(**told) if told else no_faults
    if "bytes_per_second" in order:
        proxy.bytes_per_second = order["bytes_per_second"]
    if "refuse" in order:
        proxy.refuse()
        time.sleep(order["refuse"])
        proxy.listen()
    if order.get("settle"):
        proxy.settle()
    return {"up": proxy.up, "down": proxy.down, "connections": proxy.connections}


def main(target: str, log: Path) -> None:
    """Be a proxy until the standard input ends."""
    with log.open("a", encoding="utf-8") as file:
        proxy = Proxy(target, file)
        sys.stdout.write(json.dumps({"url": proxy.url}) + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            sys.stdout.write(json.dumps(obey(proxy, json.loads(line))) + "\n")
            sys.stdout.flush()
        proxy.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
