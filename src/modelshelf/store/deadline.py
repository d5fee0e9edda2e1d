"""A deadline for one exchange over HTTP: a server may be silent or talk without end, in any part of it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator

from modelshelf.errors import NetworkError


@contextlib.contextmanager
def deadline(connection: http.client.HTTPConnection, seconds: float, where: str) -> Iterator[None]:
    """Cut the connection, which is open, after so many seconds; raises NetworkError then.

    The timeout of a socket is no such bound: each byte begins it anew, and headers, interim answers
    and trailers are read until they end.
    """
    sock, late = connection.sock, threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):  # below TLS, whose reader then sees the end of all
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        raise NetworkError("The answer came too slowly", where=where, expected=f"{seconds:.0f} s")
