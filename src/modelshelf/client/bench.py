"""Workbenches, where segments are made: few, so that neither memory nor cores are overcrowded."""

from __future__ import annotations

from modelshelf.store.codec import Codec
from modelshelf.store.local import Place
from modelshelf.store.places import Room
from modelshelf.store.whole import Few


class Bench:
    """A codec, and room for the bytes that a segment is made from; used by one thread at a time."""

    def __init__(self) -> None:
        self.codec = Codec()
        self._room = Room()

    def read(self, place: Place) -> memoryview | None:
        """What lies there, good until the next call; None where it cannot be read."""
        return self._room.load(*place)


Benches = Few[Bench]
