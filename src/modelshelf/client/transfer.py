"""Moving bytes: files from a registry into the store, resumed, checked, shown."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import NamedTuple

from modelshelf.client.http import Connection
from modelshelf.store.disk import DiskStore

threads = 4
another_process_seconds = 120.0
"""How long to wait for another process that fetches the same file and does not get on."""

Progress = Callable[[int], None]
"""Told how many more bytes of files are there, or were found to be there already.

Fewer than none, where bytes that had been told of were of no use.
"""


class Wanted(NamedTuple):
    """One file to fetch: its digest, its size in bytes, and the file whose place it takes, if any."""

    sha256: str
    size: int
    before: str | None = None


class Moved(NamedTuple):
    """What a fetch brought: so many files of `raw` bytes, for which `wire` bytes were received."""

    files: int = 0
    raw: int = 0
    wire: int = 0

    @classmethod
    def together(cls, several: Iterable[Moved]) -> Moved:
        """The sum of them."""
        return cls(*map(sum, zip(cls(), *several, strict=True)))


def fetch(
    connect: Callable[[], Connection],
    store: DiskStore,
    files: Iterable[Wanted],
    *,
    release: str,
    progress: Progress,
    received: Progress = lambda _count: None,
) -> Moved:
    """Bring `files` of `release` (`name@version`) into the store, by four threads.

    `received` is told of each piece that comes over the wire, which are often fewer bytes.

    `connect` gives the registry; it is not asked where nothing is missing. What another run left
    half done is gone on with. Raises IntegrityError for wrong bytes, NetworkError when the
    registry stays away, ShelfError on a full disk; whole files stay.
    """
    missing = {file.sha256: file for file in files if not store.has(file.sha256)}
    if not missing:
        return Moved()
    from modelshelf.client.fetching import Fetching

    headers = {"Shelf-Install": f"{secrets.token_hex(8)} {release}"}
    return Fetching(connect(), store, headers, progress, received).bring(missing.values())
