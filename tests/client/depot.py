"""A registry that has nothing but files, recipes and segments, and errs on demand."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import random
import re
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, cast

import blake3
import msgspec

from modelshelf.client.transfer import Wanted
from modelshelf.store.codec import Codec
from modelshelf.store.recipe import Cut, Parent, Recipe, Run, dumps, pieces, tag

CHUNK_BYTES = 64 << 10


class Asked(NamedTuple):
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]


class Depot:
    """What is served, what was asked and sent, and what goes wrong."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.recipes: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.config: dict[str, object] = {"segments": "/segments/{key}", "bundles": True}
        self.asked: list[Asked] = []
        self.delivered = 0
        """Bytes of bodies that have gone, but for those that still lay here when a wire broke."""
        self.cut_after: int | None = None
        """Every body ends after so many bytes, and with it the connection."""
        self.stall_after: int | None = None
        """So many bytes are sent in all; then every body stands still."""
        self.break_after: int | None = None
        """So many bytes are sent in all; then every body ends, and with it the connection."""
        self.chunk_seconds = 0.0
        """Rest after each chunk."""
        self.chunk_bytes = CHUNK_BYTES
        self.status: Callable[[str], int | None] = lambda _path: None
        """Another answer for this path."""
        self.damage: Callable[[str, bytes], bytes] = lambda _path, body: body
        self.length: Callable[[str, int], int | None] = lambda _path, size: size
        """What the head says of the body's length; None says nothing."""
        self.elsewhere: Callable[[str], str | None] = lambda _path: None
        """Where a path refers to."""
        self.url = ""
        self._codec = Codec()
        self._turn = threading.Lock()

    def put(self, content: bytes, cuts: Iterable[Cut] = ()) -> Wanted:
        """Publish a file."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[sha256] = content
        ids, stored = [], []
        cut = pieces(len(content), cuts)
        for piece in cut:
            raw = content[piece.start : piece.start + piece.size]
            identifier = blake3.blake3(raw).hexdigest()
            blob = self._codec.solo(raw, piece.width, floating=piece.floating)
            self.blobs[identifier] = blob
            ids.append(bytes.fromhex(identifier))
            stored.append(len(blob))
        sizes = tuple(piece.size for piece in cut)
        recipe = Recipe(len(content), b"".join(ids), sizes, tuple(stored))
        self.recipes[sha256] = dumps(recipe)
        return Wanted(sha256, len(content))

    def recipe(self, file: Wanted) -> Recipe:
        return loads(self.recipes[file.sha256])

    def change(self, file: Wanted, **fields: object) -> None:
        """Serve another recipe for a file."""
        changed = msgspec.structs.replace(self.recipe(file), **fields)
        self.recipes[file.sha256] = dumps(changed)

    def help(self, file: Wanted, parent: Wanted, *, width: int = 2) -> None:
        """Tell each segment of a file against the same place of another of the same length."""
        recipe = self.recipe(file)
        stored: list[int | None] = []
        child, other = self.files[file.sha256], self.files[parent.sha256]
        for (identifier, start, size), alone in zip(recipe.segments(), recipe.stored, strict=True):
            raw, base = child[start : start + size], other[start : start + size]
            blob = self._codec.delta(raw, base, width, floating=True, below=alone)
            if blob:
                self.blobs[f"{identifier}-{blake3.blake3(base).hexdigest()}"] = blob
            stored.append(len(blob) if blob else None)
        helps = Parent(parent.sha256, "delta", (Run(0, 0, len(child)),), tuple(stored))
        self.change(file, parents=(*recipe.parents, helps))

    def cast(self, file: Wanted, parent: Wanted, kind: str) -> None:
        """Tell that a file is another one in fewer bits."""
        recipe = self.recipe(file)
        runs = (Run(0, 0, recipe.size),)
        helps = Parent(parent.sha256, kind, runs, (0,) * len(recipe.sizes))
        self.change(file, parents=(*recipe.parents, helps))

    def paths(self, prefix: str) -> list[str]:
        """The paths asked for below `prefix`, without it."""
        return [each.path[len(prefix) :] for each in self.asked if each.path.startswith(prefix)]

    def forget(self) -> None:
        """What was asked and sent so far."""
        self.asked.clear()
        self.delivered = 0

    def count(self, sent: int) -> None:
        """Note that so many bytes have gone."""
        with self._turn:
            self.delivered += sent

    def stalls(self, count: int) -> bool:
        """Whether the next `count` bytes shall not be sent."""
        with self._turn:
            if self.stall_after is not None:
                self.stall_after -= count
                return self.stall_after < 0
        return False

    def breaks(self, count: int) -> bool:
        """Whether the connection is to be cut before the next `count` bytes."""
        with self._turn:
            if self.break_after is not None:
                self.break_after -= count
                return self.break_after < 0
        return False


def loads(body: bytes) -> Recipe:
    import zstandard

    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(body), type=Recipe)


def weights(number: int, size: int = 1 << 20) -> bytes:
    """bfloat16 values that no other number gives; they compress to about two thirds."""
    import numpy as np

    values = np.random.default_rng(number).standard_normal(size // 2, np.float32) * 0.02
    return bytes((values.view("<u4") >> 16).astype("<u2").tobytes())


def noise(number: int, size: int = 1 << 20) -> bytes:
    """Bytes that do not compress."""
    return random.Random(number).randbytes(size)


def cuts(size: int, every: int, width: int = 2) -> list[Cut]:
    """A tensor every so many bytes."""
    return [Cut(at, min(at + every, size), width, floating=True) for at in range(0, size, every)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    depot: Depot

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is none."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 << 10)
        super().setup()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    @property
    def depot(self) -> Depot:
        return cast(_Server, self.server).depot

    def do_GET(self) -> None:
        self._note()
        body = self._found(self.path)
        if (where := self.depot.elsewhere(self.path)) is not None:
            self._head(307, 0, {"Location": where})
        elif (status := self.depot.status(self.path)) is not None:
            self._answer(status, b'{"error": "Invalid", "message": "as asked"}')
        elif body is None:
            self._answer(404, b'{"error": "NotFound", "message": "not here"}')
        else:
            self._send(self.depot.damage(self.path, body))

    def do_POST(self) -> None:
        self._note()
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        keys = json.loads(asked)["keys"]
        if (status := self.depot.status(self.path)) is not None:
            self._answer(status, b'{"error": "Invalid", "message": "as asked"}')
        elif any(key not in self.depot.blobs for key in keys):
            self._answer(404, b'{"error": "NotFound", "message": "not here"}')
        else:
            frames = [self.depot.damage(f"/segments/{key}", self.depot.blobs[key]) for key in keys]
            self._answer(200, b"".join(struct.pack(">I", len(each)) + each for each in frames))

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.depot.asked.append(Asked(self.command, self.path, headers))

    def _found(self, path: str) -> bytes | None:
        path = path.partition("?")[0]
        if path == "/config.json":
            return json.dumps(self.depot.config).encode()
        kind, _, name = path.rpartition("/")
        known = {
            "/files": self.depot.files,
            "/recipes": self.depot.recipes,
            "/segments": self.depot.blobs,
        }
        return known.get(kind, {}).get(name)

    def _send(self, body: bytes) -> None:
        known = self.headers.get("If-None-Match")
        if self.path.startswith("/recipes/") and known == _tag_of(body):
            return self._head(304, 0, {})
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return self._answer(200, body)
        first, end = int(match[1]), int(match[2] or len(body) - 1) + 1
        if first >= len(body):
            return self._answer(416, b"")
        told = {"Content-Range": f"bytes {first}-{end - 1}/{len(body)}"}
        return self._answer(206, body[first:end], told)

    def _head(self, status: int, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        length = self.depot.length(self.path, len(body))
        self._head(status, length, headers or {})
        sent = 0
        try:
            for piece in self._pieces(body):
                sent += len(piece)  # at most: of the last one, not all need have gone
                self.connection.sendall(piece)
        except OSError:
            sent -= _waiting(self.connection)
            raise
        finally:
            self.depot.count(sent)
        if sent < len(body) or length != len(body):
            self.close_connection = True

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        depot = self.depot
        limit = len(body) if depot.cut_after is None else depot.cut_after
        body = body[:limit]
        for at in range(0, len(body), depot.chunk_bytes):
            piece = body[at : at + depot.chunk_bytes]
            while depot.stalls(len(piece)):
                time.sleep(0.05)
            if depot.breaks(len(piece)):
                return
            yield piece
            if depot.chunk_seconds:
                time.sleep(depot.chunk_seconds)


def _waiting(connection: socket.socket) -> int:
    """So many bytes were taken from us, and not yet by the other side."""
    waiting = fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0")
    return int(struct.unpack("=i", waiting)[0])


@contextmanager
def open_depot() -> Iterator[Depot]:
    """A depot that answers at its `url`."""
    depot = Depot()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.depot = depot
    depot.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield depot
    finally:
        with contextlib.suppress(OSError):
            server.shutdown()
        server.server_close()
        thread.join(10)


def _tag_of(body: bytes) -> str:
    """The ETag of a recipe; a forged one has none."""
    try:
        return tag(body)
    except Exception:  # noqa: BLE001 (whatever a test serves as a recipe)
        return "none"
