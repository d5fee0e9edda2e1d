"""HTTP as it passes by: the bytes of a connection taken apart into heads and bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

ENDLESS = 1 << 62


class Part(NamedTuple):
    """A whole head, or a piece of the body that follows it: its first byte and the body's length."""

    head: bytes | None
    body: bytes
    at: int
    length: int


class Messages:
    """The bytes of one direction of a connection, taken apart into heads and bodies."""

    def __init__(self, length_of: Callable[[bytes], int]) -> None:
        self._length_of = length_of
        self._head = bytearray()
        self._at = self._length = 0

    def parts(self, data: bytes) -> Iterator[Part]:
        """What `data` brings."""
        while data:
            if self._at < self._length:
                body, data = data[: self._length - self._at], data[self._length - self._at :]
                self._at += len(body)
                yield Part(None, body, self._at - len(body), self._length)
                continue
            self._head += data
            head, end, rest = bytes(self._head).partition(b"\r\n\r\n")
            if not end:
                return
            data = rest
            self._head.clear()
            self._at, self._length = 0, self._length_of(head)
            yield Part(head + end, b"", 0, self._length)


def declared_length(head: bytes) -> int:
    """Bytes of the body that a head announces; endless where it does not tell."""
    if found := re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE):
        return int(found[1])
    return ENDLESS if re.search(rb"\r\ntransfer-encoding:", head, re.IGNORECASE) else 0
