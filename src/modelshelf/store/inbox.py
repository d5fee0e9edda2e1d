"""A segment as it arrives: in memory, and on disk for whoever goes on after a killed process.

On disk it opens with what it is: the key under which it was asked for, how long it will be, how
much of it has come. What comes is written there at once, without waiting for the disk.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from modelshelf.store.places import read_at, write_at
from modelshelf.store.recipe import SEGMENT_BYTES

LONGEST_BLOB_BYTES = SEGMENT_BYTES + 64
_MAGIC = b"segment1"
_HEAD = struct.Struct("<8sQ192sQ")
_COUNT_AT = _HEAD.size - 8


class Inbox:
    """The inbox at `path`, with what an earlier process left in it; used by one thread.

    A disk that takes no more loses nothing but the chance to go on after a kill.
    """

    def __init__(self, path: Path) -> None:
        self.key = ""
        self.stored = 0
        """So long the segment will be."""
        self.received = 0
        self._buffer = memoryview(bytearray(LONGEST_BLOB_BYTES))
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o644)
            self._load(self._descriptor)

    @property
    def content(self) -> memoryview:
        """What has come so far."""
        return self._buffer[: self.received]

    @property
    def complete(self) -> bool:
        """Whether a whole segment is here."""
        return self.received == self.stored > 0

    def begin(self, key: str, stored: int) -> None:
        """Make room for a segment of `stored` bytes; what was here is forgotten."""
        self.key, self.stored, self.received = key, stored, 0
        self._keep(0, _HEAD.pack(_MAGIC, stored, key.encode(), 0))

    def room(self, most: int) -> memoryview:
        """Where the next bytes go, not more than `most`, none where all are here."""
        return self._buffer[self.received : min(self.received + most, self.stored)]

    def arrived(self, count: int) -> None:
        """So many bytes were put into `room`."""
        new = self._buffer[self.received : self.received + count]
        self._keep(_HEAD.size + self.received, new)
        self.received += count
        # told after the bytes are there: whoever is killed in between loses only these
        self._keep(_COUNT_AT, struct.pack("<Q", self.received))

    def end(self) -> None:
        """What is here is all there is."""
        self.stored = self.received

    def clear(self) -> None:
        """Forget what is here."""
        self.begin("", 0)

    def close(self) -> None:
        """Let go of the file, which stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _load(self, descriptor: int) -> None:
        head = memoryview(bytearray(_HEAD.size))
        if read_at(descriptor, 0, head) < _HEAD.size:
            return
        magic, stored, key, received = _HEAD.unpack(head)
        if magic != _MAGIC or not 0 <= received <= stored <= LONGEST_BLOB_BYTES:
            return
        if read_at(descriptor, _HEAD.size, self._buffer[:received]) == received:
            self.key = key.rstrip(b"\0").decode("ascii", "replace")
            self.stored, self.received = stored, received

    def _keep(self, start: int, content: bytes | memoryview) -> None:
        if self._descriptor is None:
            return
        try:
            write_at(self._descriptor, start, content)
        except OSError:
            self.close()
