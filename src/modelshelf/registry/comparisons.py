"""Comparisons of published releases: made one at a time, and kept while they are asked for.

A release never changes, and to compare two with a million tensors takes seconds and half a
gigabyte: whoever asks again gets what was found, and strangers cannot start many at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from modelshelf.checks.compared import Compared, compare
from modelshelf.checks.contract import Contract
from modelshelf.errors import ShelfError
from modelshelf.registry import contracts, releases
from modelshelf.registry.database import Database
from modelshelf.registry.replies import Answer

KEPT_COUNT = 128
WAIT_SECONDS = 10.0

Key = tuple[str, str, str, str]


class Comparisons:
    """What changed between two releases of a package, by (publisher, name, old, new)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[tuple[Key, int], Compared] = OrderedDict()
        self._turn = threading.Lock()

    def compared(self, key: Key) -> Compared:
        """Compare, or say again; raises NotFound for no such release, an Answer of 503 if busy."""
        publisher, name, *versions = key
        with self._database.reading() as connection:
            for version in versions:
                releases.release(connection, publisher, name, version)
            old, new = (
                contracts.required(connection, (publisher, name, version)) for version in versions
            )
        # Contracts are made anew when the readers say more.
        known = (key, hash((old, new)))
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            busy = ShelfError("Other releases are being compared: try again")
            raise Answer(503, busy, headers={"retry-after": "5"})
        try:
            return self._kept.get(known) or self._made(known, old, new)
        finally:
            self._turn.release()

    def _made(self, known: tuple[Key, int], old: bytes, new: bytes) -> Compared:
        decoder = msgspec.json.Decoder(Contract)
        found = self._kept[known] = compare(decoder.decode(old), decoder.decode(new))
        while len(self._kept) > KEPT_COUNT:
            self._kept.popitem(last=False)
        return found
