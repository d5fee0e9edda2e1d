"""Blobs as they come over the wire: gone on with where they broke off, given up where they stand.

Only standstill counts: whoever gets a little further with every attempt may make as many as it
takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from modelshelf.client.hosts import Body
from modelshelf.client.http import Offline, Standstill, retries
from modelshelf.client.pace import Pace
from modelshelf.errors import IntegrityError, NetworkError
from modelshelf.store.inbox import LONGEST_BLOB_BYTES, Inbox

block_bytes = 64 << 10
"""At most so much is received at once; it is kept on disk before more is."""

Ask = Callable[[int], Body]
"""Asks for a blob from this byte on."""


class Stopped(Exception):
    """Another thread failed, or the user gave up."""


class Wire(NamedTuple):
    """What all who receive share."""

    stop: threading.Event
    pace: Pace
    received: Callable[[int], None]
    """Told how many bytes came."""


class Receiver:
    """Receives into `inbox`, in one thread."""

    def __init__(self, inbox: Inbox, wire: Wire) -> None:
        self.inbox = inbox
        self._wire = wire
        self._frame = bytearray()

    def blob(self, key: str, ask: Ask, show: Callable[[float], None]) -> memoryview:
        """The whole blob `key`, good until the next one; `show` is told which share is there.

        Raises NotFound, NetworkError, IntegrityError where the server's answer makes no sense.
        """
        inbox, failures = self.inbox, 0
        if inbox.key != key:
            inbox.begin(key, 0)
        while not inbox.complete:
            before = inbox.received
            try:
                self._read_on(key, ask, show)
            except NetworkError as error:
                advanced = inbox.received > before
                failures = failed(failures, error, advanced=advanced, stop=self._wire.stop)
        return inbox.content

    def frames(self, body: Body, keys: Collection[str]) -> Iterator[tuple[str, memoryview]]:
        """Each key with its blob, good until the next one, from a bundle."""
        for key in keys:
            size = int.from_bytes(self._exactly(body, 4), "big")
            if not 2 <= size <= LONGEST_BLOB_BYTES:
                body.drop()
                raise IntegrityError("a segment of so many bytes cannot be", got=size)
            yield key, self._exactly(body, size)
        body.end()

    def _read_on(self, key: str, ask: Ask, show: Callable[[float], None]) -> None:
        inbox = self.inbox
        body = ask(inbox.received)
        self._fit(body, key)
        # with what a limit on the rate, and keeping what comes, take of the time
        began, before = time.perf_counter(), inbox.received
        while room := inbox.room(block_bytes):
            if not (count := self._arriving(body.read_some, body, room)):
                break
            inbox.arrived(count)
            show(inbox.received / inbox.stored)
        self._wire.pace.received(inbox.received - before, time.perf_counter() - began)
        if body.total is None:
            inbox.end()
        elif not inbox.complete:
            body.drop()
            raise NetworkError("the registry ends a segment too early", where=key)
        body.end()

    def _fit(self, body: Body, key: str) -> None:
        """Have the inbox ready for what comes: the rest of what is in it, or all from the start."""
        inbox = self.inbox
        if body.start == 0:
            inbox.begin(key, LONGEST_BLOB_BYTES if body.total is None else body.total)
        elif (body.start, body.total) != (inbox.received, inbox.stored):
            body.drop()
            inbox.begin(key, 0)
            raise NetworkError("a segment changed while it came", where=key)
        if not 2 <= inbox.stored <= LONGEST_BLOB_BYTES:
            body.drop()
            raise IntegrityError("a segment of so many bytes cannot be", got=inbox.stored)

    def _exactly(self, body: Body, size: int) -> memoryview:
        if len(self._frame) < size:
            self._frame = bytearray(max(size, block_bytes))
        view = memoryview(self._frame)[:size]
        if self._arriving(body.read, body, view) < size:
            body.drop()
            raise NetworkError("the registry ends a bundle too early")
        return view

    def _arriving(self, read: Callable[[memoryview], int], body: Body, into: memoryview) -> int:
        if self._wire.stop.is_set():
            body.drop()
            raise Stopped
        count = read(into)
        self._wire.received(count)
        return count


def failed(failures: int, error: NetworkError, *, advanced: bool, stop: threading.Event) -> int:
    """How often in a row nothing came, after a while of waiting; raises `error` in the end."""
    if advanced and not isinstance(error, Standstill):
        return 0
    if failures >= retries or isinstance(error, Offline):
        raise error
    stop.wait(0.2 * 2**failures)
    return failures + 1
