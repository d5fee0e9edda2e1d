"""The wire itself: what it counts is what passes, and what it does to a body is what it was told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modelshelf.client.http import Connection, Damaged
from modelshelf.errors import NetworkError
from tests.trouble.messages import Messages, declared_length
from tests.trouble.proxy import Exchange, Fault, Proxy

HEAD = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_messages_are_taken_apart_however_they_come(step: int) -> None:
    wire = (HEAD + b"12345" + HEAD.replace(b"5", b"0")) * 2
    messages = Messages(declared_length)
    parts = [
        part for at in range(0, len(wire), step) for part in messages.parts(wire[at : at + step])
    ]
    assert [part.length for part in parts if part.head] == [5, 0, 5, 0]
    assert b"".join((part.head or b"") + part.body for part in parts) == wire


def once(kind: str, at: int) -> Callable[[Exchange, str, int], Fault | None]:
    left = [Fault(kind, at, 0.01)]
    return lambda _exchange, way, _length: left.pop() if left and way == "down" else None


def test_it_counts_heads_and_bodies(proxy: Proxy) -> None:
    connection = Connection(proxy.url)
    answer = connection.get("/config.json")
    assert connection.get("/config.json").body == answer.body
    connection.close()
    proxy.settle()
    assert [each.status for each in proxy.exchanges] == [200, 200]
    assert proxy.down == sum(each.down for each in proxy.exchanges) > 2 * len(answer.body)
    assert proxy.up == sum(each.up for each in proxy.exchanges)
    assert proxy.exchanges[0].told == answer.body.decode()


@pytest.mark.parametrize("kind", ["cut", "shorten", "flip", "drip", "stall"])
def test_a_small_answer_that_is_hurt_is_asked_for_again(proxy: Proxy, kind: str) -> None:
    whole = Connection(proxy.url).get("/config.json").body
    proxy.faults = once(kind, 7)
    connection = Connection(proxy.url)
    assert connection.get("/config.json").body == whole
    connection.close()
    proxy.settle()
    assert f"{kind} down at 7 of {len(whole)}" in {each.fault for each in proxy.exchanges}


def test_what_is_sent_once_fails_where_its_answer_is_hurt(proxy: Proxy) -> None:
    proxy.faults = once("flip", 3)
    with pytest.raises(Damaged):
        Connection(proxy.url).send("GET", "/config.json")


def test_a_wire_that_takes_no_connections(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(NetworkError):
        Connection(proxy.url).send("GET", "/config.json")
    proxy.listen()
    assert Connection(proxy.url).send("GET", "/config.json").status == 200
