"""Workbenches, where segments are made: few, so that neither memory nor cores are overcrowded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from modelshelf.store.codec import Codec
from modelshelf.store.local import Place
from modelshelf.store.places import read_at

_COUNT = 2


class Bench:
    """A codec, and room for the bytes that a segment is made from; used by one thread at a time."""

    def __init__(self) -> None:
        self.codec = Codec()
        self._room = bytearray()

    def read(self, place: Place) -> memoryview | None:
        """What lies there, good until the next call; None where it cannot be read."""
        if len(self._room) < place.size:
            self._room = bytearray(place.size)
        view = memoryview(self._room)[: place.size]
        try:
            descriptor = os.open(place.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError:
            return None
        try:
            return view if read_at(descriptor, place.start, view) == place.size else None
        except OSError:
            return None
        finally:
            os.close(descriptor)


class Benches:
    """All benches of one fetch."""

    def __init__(self) -> None:
        self._free: SimpleQueue[Bench] = SimpleQueue()
        for _ in range(_COUNT):
            self._free.put(Bench())

    @contextmanager
    def one(self) -> Iterator[Bench]:
        """A bench of one's own for a while; who has one must not ask for another."""
        bench = self._free.get()
        try:
            yield bench
        finally:
            self._free.put(bench)
