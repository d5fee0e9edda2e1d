"""The wire: sockets that the registry closed while they lay idle."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator

import pytest

from modelshelf.client.http import Connection

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@pytest.fixture
def impatient() -> Iterator[tuple[str, threading.Event]]:
    """A server that keeps no socket: it answers once, promises to stay, and hangs up."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                accepted, _ = listening.accept()
                with accepted:
                    accepted.recv(65536)
                    accepted.sendall(ANSWER)
                gone.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", gone
        thread.join(10)


def test_what_is_sent_once_finds_an_open_socket(impatient: tuple[str, threading.Event]) -> None:
    url, gone = impatient
    connection = Connection(url)
    assert connection.send("POST", "/first").status == 200
    assert gone.wait(10)
    assert connection.send("POST", "/second", {"a": 1}).status == 200


def test_a_connection_in_a_circle_of_garbage_is_closed(registry_url: str) -> None:
    for _ in range(20):
        connection = Connection(registry_url)
        connection.get("/healthz")
        circle: list[object] = [connection]
        circle.append(circle)
        del connection, circle
    gc.collect()  # a socket that went unclosed is an error: warnings are
