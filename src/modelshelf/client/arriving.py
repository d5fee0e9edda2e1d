"""Responses that arrive neither faster than allowed nor slower than anybody would wait for."""

from __future__ import annotations

import http.client
import io
import socket
import struct
import time

from modelshelf.client.rate import Bucket

patience_seconds = 30.0
"""How long one answer may keep us waiting in all, with nothing to show for it."""
slowest_bytes_per_second = 1024
"""What comes at least this fast may take as long as it takes."""
near_seconds = 0.002
near_buffer_bytes = 64 << 10


class TooSlow(TimeoutError):
    """The other side sends, but so little that it may go on for ever."""


class Response(http.client.HTTPResponse):
    """A response that is given up when it drips; with a `rate` it is read no faster."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        rate: Bucket | None = None,
        patience_seconds: float = patience_seconds,
    ) -> None:
        raw = _Arriving(sock.makefile("rb", buffering=0), rate, patience_seconds)
        super().__init__(_Reader(raw), debuglevel, method, url)  # type: ignore[arg-type]  # all it asks for

    def readinto_some(self, into: memoryview) -> int:
        """Read what is there, at least a byte unless the body has ended, as `read1` does."""
        if self.fp is None or self.chunked or self.length is None or not into:
            return self.readinto(into)
        count = self.fp.readinto1(into[: self.length])
        self.length -= count
        if not count or not self.length:
            self._close_conn()  # type: ignore[attr-defined]  # as `readinto` does
        return count


class _Reader:
    """What http.client takes for a socket: it only asks for a file to read from."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


class _Arriving(io.RawIOBase):
    def __init__(self, raw: socket.SocketIO, rate: Bucket | None, patience_seconds: float) -> None:
        self._raw = raw
        self._rate = rate
        self._patience_seconds = patience_seconds
        self._waited = 0.0
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)
        if self._rate is not None:
            view = view[: self._rate.portion(len(view))]
        began = time.monotonic()
        count = self._raw.readinto(view) or 0
        self._waited += time.monotonic() - began
        self._received += count
        if self._waited > self._patience_seconds + self._received / slowest_bytes_per_second:
            raise TooSlow(f"only {self._received} bytes in {self._waited:.0f} s")
        if self._rate is not None:
            self._rate.take(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def settle(connection: http.client.HTTPConnection) -> None:
    """Let the system hold little of what comes from a near host, or goes there.

    A killed process loses what it has not read, a broken connection what has not left. The window
    of a far host has to hold all that is on the way: its size is left to the system.
    """
    sock = connection.sock
    if sock is None or not hasattr(socket, "TCP_INFO"):
        return
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    if len(info) >= 72 and struct.unpack_from("=I", info, 68)[0] < near_seconds * 1e6:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, near_buffer_bytes)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, near_buffer_bytes)
