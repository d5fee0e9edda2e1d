from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from modelshelf.errors import IntegrityError
from modelshelf.registry import wire
from modelshelf.store.digest import content_digest, require_content
from tests.registry.conftest import Client, Draft, Running

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"


def answer(url: str, *pieces: bytes) -> bytes:
    """What the server says to these bytes until it closes, or until its answer's body began."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), 10) as connection:
        said = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while b"\r\n\r\n" not in said and (more := connection.recv(1 << 16)):
                said += more
        except ConnectionError:
            pass  # closed while we were still sending
        return said


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * 8 * wire.MAX_HEADER_BYTES,
        REQUEST + b"X: " + b"a" * 8 * wire.MAX_HEADER_BYTES,
        REQUEST + b"X: a\r\n" * (2 * wire.MAX_HEADER_BYTES),
    ],
    ids=["address", "value", "count"],
)
def test_endless_headers_end_the_connection(registry_url: str, endless: bytes) -> None:
    said = answer(registry_url, endless)
    assert not said or said.startswith(b"HTTP/1.1 400 ")


def test_long_headers_pass(registry_url: str) -> None:
    long = b"X: " + b"a" * (wire.MAX_HEADER_BYTES // 2) + b"\r\n\r\n"
    assert answer(registry_url, REQUEST, long).startswith(b"HTTP/1.1 200 ")


def test_each_request_has_its_own_allowance(registry_url: str) -> None:
    long = REQUEST + b"X: " + b"a" * (wire.MAX_HEADER_BYTES // 3) + b"\r\n\r\n"
    last = REQUEST + b"Connection: close\r\n\r\n"
    assert answer(registry_url, long, long, long, long, last).startswith(b"HTTP/1.1 200 ")


def test_answers_are_sent_at_once() -> None:
    from modelshelf.registry.server import _listen

    with _listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # what asyncio asks before TCP_NODELAY


@pytest.mark.parametrize(
    "path", ["/config.json", "/index/acme/digits.jsonl", "/index/acme/none.jsonl"]
)
def test_small_answers_tell_their_digest(
    registry: Running, acme: Client, draft: type[Draft], path: str
) -> None:
    assert draft().publish(acme).status == 201
    answer = registry.client("GET", path)
    require_content(answer.headers["content-digest"], answer.body)
    with pytest.raises(IntegrityError):
        require_content(answer.headers["content-digest"], answer.body + b" ")


def test_a_request_that_was_damaged_is_refused(acme: Client, draft: type[Draft]) -> None:
    body = json.dumps(draft().session()).encode()
    digest = {"Content-Digest": content_digest(body)}
    refused = acme("POST", "/api/v1/sessions", body.replace(b"Handwritten", b"Handwrittem"), digest)
    assert (refused.status, refused.json["error"]) == (422, "IntegrityError")
    assert acme("POST", "/api/v1/sessions", body, digest).status == 201
