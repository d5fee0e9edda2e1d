"""A deadline ends what a server never ends: interim answers, headers, trailers, bodies, silence."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from modelshelf.errors import NetworkError
from modelshelf.store.deadline import deadline

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@contextlib.contextmanager
def serving(first: bytes, then: bytes) -> Iterator[http.client.HTTPConnection]:
    """A connection to what says something, and then the same again and again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            taken, _ = listening.accept()
            with taken, contextlib.suppress(OSError):
                taken.recv(65536)
                for said in itertools.chain([first], itertools.repeat(then, 20_000 if then else 0)):
                    taken.sendall(said)
                    time.sleep(0.001)

        thread = threading.Thread(target=serve)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=20)
        try:
            connection.connect()
            yield connection
        finally:
            connection.close()
            thread.join()


def asked(connection: http.client.HTTPConnection, seconds: float) -> bytes:
    with deadline(connection, seconds, "here"):
        connection.request("GET", "/")
        with connection.getresponse() as response:
            return response.read()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"X: ", b"a"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n"),
        (OK + b"\r\n", b"a"),
    ],
    ids=["interim", "header", "trailer", "body"],
)
def test_no_part_of_an_answer_lasts_for_ever(first: bytes, then: bytes) -> None:
    with serving(first, then) as connection, pytest.raises(NetworkError, match="too slowly"):
        asked(connection, 0.1)


def test_what_comes_in_time_comes_whole() -> None:
    with serving(OK + b"Content-Length: 2\r\n\r\nab", b"") as connection:
        assert asked(connection, 20) == b"ab"
