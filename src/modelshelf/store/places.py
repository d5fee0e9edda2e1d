"""Reading and writing at a place of an open file, by several threads at once."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

_turn = threading.Lock()
"""Where the system knows no such thing, one after another moves the only cursor there is."""


def write_at(descriptor: int, start: int, content: bytes | bytearray | memoryview) -> None:
    """Write all of `content` from byte `start` on."""
    view = memoryview(content)
    while view:
        count = _written(descriptor, start, view)
        start += count
        view = view[count:]


def read_at(descriptor: int, start: int, into: memoryview) -> int:
    """Fill `into` from byte `start` on; fewer bytes are read where the file ends before."""
    done = 0
    while done < len(into):
        count = _read(descriptor, start + done, into[done:])
        if not count:
            break
        done += count
    return done


class Room:
    """Memory for a part of a file, used again and again; by one thread."""

    def __init__(self) -> None:
        self._room = bytearray()

    def load(self, path: Path, start: int, size: int) -> memoryview | None:
        """So many bytes of a file, good until the next call; None where they cannot be read."""
        if len(self._room) < size:
            self._room = bytearray(size)
        view = memoryview(self._room)[:size]
        with contextlib.suppress(OSError), path.open("rb", buffering=0) as file:
            if read_at(file.fileno(), start, view) == size:
                return view
        return None


def _written(descriptor: int, start: int, view: memoryview) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, view, start)
    with _turn:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.write(descriptor, view)


def _read(descriptor: int, start: int, view: memoryview) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], start)
    with _turn:
        os.lseek(descriptor, start, os.SEEK_SET)
        got = os.read(descriptor, len(view))
    view[: len(got)] = got
    return len(got)
