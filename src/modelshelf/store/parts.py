"""A file that is being put together from its segments, which arrive in any order.

See `sweep` for the names of what lies on the disk. Which segments are there is written after their
bytes, so that a killed process loses none that is told; a loss of power can: then the digest of
the whole file is wrong, and each segment is looked at again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
import threading
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import blake3

from modelshelf.errors import Conflict
from modelshelf.store.disk import DiskStore, telling_full
from modelshelf.store.places import read_at, write_at
from modelshelf.store.recipe import ID_BYTES, Recipe
from modelshelf.store.sweep import PARTS, alone, done_path, forget, inbox_path

_HEAD_BYTES = 32
_BLOCK_BYTES = 1 << 20
_CANNOT = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV}
"""What a file system says that cannot take place in advance."""


class Parts:
    """One file of segments, some of them there; made by `assembling`, used by several threads."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        self.recipe = recipe
        self.starts = tuple(accumulate(recipe.sizes, initial=0))
        self._bits = bytearray()
        self._next = 0
        self._ended = False
        self._changed = threading.Condition()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o644)
        self._done = os.open(done_path(path), flags, 0o644)
        self._open: tuple[int, ...] = (self._descriptor, self._done)

    def has(self, number: int) -> bool:
        """Whether this segment is there."""
        return bool(self._bits[number >> 3] >> (number & 7) & 1)

    def missing(self) -> list[int]:
        """The numbers of the segments that are still to come."""
        return [number for number in range(len(self.recipe.sizes)) if not self.has(number)]

    def front(self) -> int:
        """So many bytes from the start of the file are there without a gap."""
        with self._changed:
            return self.starts[self._next]

    def front_beyond(self, at: int) -> int:
        """The same, once it is more than `at`; `at` where nothing more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self.starts[self._next] > at)
            return max(self.starts[self._next], at)

    def write(self, number: int, content: bytes | memoryview) -> None:
        """Put a segment at its place. Raises ShelfError on a full disk."""
        with telling_full(self.path):
            write_at(self._descriptor, self.starts[number], content)
            self._tell(number, there=True)

    def read(self, start: int, into: memoryview) -> int:
        """Read on from `start`; gives how many bytes were there."""
        return read_at(self._descriptor, start, into)

    def end(self) -> None:
        """Nothing more will come for now: who waits for the front need not."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def drop_damaged(self) -> list[int]:
        """Look at all segments once more; those that are not what they should be are to come again."""
        buffer = memoryview(bytearray(max(self.recipe.sizes, default=0)))
        damaged = []
        for number, (identifier, start, size) in enumerate(self.recipe.segments()):
            view = buffer[:size]
            whole = self.read(start, view) == size
            if not whole or blake3.blake3(view).hexdigest() != identifier:
                self._tell(number, there=False)
                damaged.append(number)
        with self._changed:
            self._ended = False
        return damaged

    def digest(self) -> str | None:
        """The sha256 of the file, read as it grows; None where it is not going to be whole."""
        found, at = hashlib.sha256(), 0
        buffer = memoryview(bytearray(min(_BLOCK_BYTES, self.recipe.size)))
        while at < self.recipe.size:
            view = buffer[: self.front_beyond(at) - at]
            if not view or self.read(at, view) < len(view):
                return None
            found.update(view)
            at += len(view)
        return found.hexdigest()

    def inbox(self, number: int) -> Path:
        """Where thread `number` keeps what it is receiving."""
        return inbox_path(self.path, number)

    def load(self) -> None:
        """Take up what an earlier process has left of the same segments, else begin anew."""
        count = -(-len(self.recipe.sizes) // 8)
        expected = _HEAD_BYTES + count
        found = memoryview(bytearray(expected + 1))
        length = read_at(self._done, 0, found)
        head = fingerprint(self.recipe)
        full = os.fstat(self._descriptor).st_size == self.recipe.size
        if full and length == expected and found[:_HEAD_BYTES] == head:
            self._bits = bytearray(found[_HEAD_BYTES:expected])
        else:
            self._bits = bytearray(count)
            self._begin(head)
        with self._changed:
            self._advance()

    def close(self) -> None:
        """Let go of the files, which stay."""
        for descriptor in self._open:
            os.close(descriptor)
        self._open = ()

    def _begin(self, head: bytes) -> None:
        os.truncate(self._done, 0)
        os.truncate(self._descriptor, 0)
        _allocate(self._descriptor, self.recipe.size)
        write_at(self._done, 0, head + self._bits)

    def _tell(self, number: int, *, there: bool) -> None:
        with self._changed:
            bit = 1 << (number & 7)
            place = number >> 3
            self._bits[place] = self._bits[place] | bit if there else self._bits[place] & ~bit
            write_at(self._done, _HEAD_BYTES + place, self._bits[place : place + 1])
            if there:
                self._advance()
            else:
                self._next = min(self._next, number)

    def _advance(self) -> None:
        before = self._next
        while self._next < len(self.recipe.sizes) and self.has(self._next):
            self._next += 1
        if self._next != before:
            self._changed.notify_all()


@contextlib.contextmanager
def assembling(store: DiskStore, sha256: str, recipe: Recipe) -> Iterator[Parts]:
    """The parts of the file `sha256`, alone; what an earlier process has of them is there.

    The place for the whole file is taken at once where the disk can do so. Raises Conflict where
    another process is at it, ShelfError on a full disk.
    """
    with alone(path := _path(store, sha256)):
        if store.has(sha256):
            raise Conflict("Another process has just brought this file", where=sha256)
        parts = _opened(path, recipe)
        try:
            yield parts
        finally:
            parts.end()
            parts.close()


def _opened(path: Path, recipe: Recipe) -> Parts:
    with telling_full(path):
        parts = Parts(path, recipe)
        try:
            parts.load()
        except OSError:
            parts.close()
            forget(path)
            raise
    return parts


def begun(store: DiskStore, sha256: str, recipe: Recipe) -> frozenset[int]:
    """The numbers of the segments that an earlier process has left, without touching them."""
    try:
        found = done_path(_path(store, sha256)).read_bytes()
    except OSError:
        return frozenset()
    if found[:_HEAD_BYTES] != fingerprint(recipe):
        return frozenset()
    bits = found[_HEAD_BYTES:].ljust(-(-len(recipe.sizes) // 8), b"\0")
    numbers = range(len(recipe.sizes))
    return frozenset(number for number in numbers if bits[number >> 3] >> (number & 7) & 1)


def pulse(store: DiskStore, sha256: str) -> object:
    """A value that changes while some process gets on with the file."""
    path = _path(store, sha256)
    found: list[object] = []
    for each in (path, *(inbox_path(path, number) for number in range(10))):
        with contextlib.suppress(OSError):
            found.append(each.stat().st_mtime_ns)
    with contextlib.suppress(OSError):
        found.append(done_path(path).read_bytes())
    return tuple(found)


def fingerprint(recipe: Recipe) -> bytes:
    """What two recipes have in common that cut a file into the same segments."""
    sizes = struct.pack(f"<{len(recipe.sizes)}I", *recipe.sizes)
    return blake3.blake3(recipe.ids[: len(recipe.sizes) * ID_BYTES] + sizes).digest()


def _path(store: DiskStore, sha256: str) -> Path:
    return store.root / "partial" / (sha256 + PARTS)


def _allocate(descriptor: int, size: int) -> None:
    """Take the place for `size` bytes, so that a full disk is told now; else only seem to."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _CANNOT:
                os.truncate(descriptor, 0)
                raise
        else:
            return
    os.truncate(descriptor, size)
