"""Raw files: what whole-file readers and checks need, rebuilt from segments when they were given up.

Every published file is kept by its segments. That it also lies whole in the store is a cache: the
files that were not read for longest are given up when all together pass a bound.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

import blake3

from modelshelf.errors import IntegrityError, NotFound
from modelshelf.registry import recipes
from modelshelf.registry.database import Database
from modelshelf.store.blobs import Blobs
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import Recipe
from modelshelf.store.whole import Codecs, decoded, put_together, read

NEVER_GIVEN_UP_BYTES = 1 << 20
"""Smaller files (texts, labels) stay: pages read them."""
REMEMBERED_SECONDS = 3600.0
"""How exactly the time of the last reading is kept."""
REMEMBERED_FILES = 10_000
_ATTEMPTS = 5


class RawFiles:
    """Published files as they were sent, by sha256."""

    def __init__(
        self, database: Database, store: DiskStore, blobs: Blobs, codecs: Codecs, bound_bytes: int
    ) -> None:
        self._database = database
        self._store = store
        self._blobs = blobs
        self._codecs = codecs
        self._bound_bytes = bound_bytes
        self._turn = threading.Lock()
        self._asked: dict[str, bool] = {}
        self._building: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    def path(self, sha256: str) -> Path:
        """The whole file, built now where it was given up; raises NotFound."""
        with self._alone(sha256):
            if not self._store.has(sha256):
                self._build(sha256)
            path = self._store.path(sha256)
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - REMEMBERED_SECONDS:
                    os.utime(path)
            return path

    def link(self, sha256: str, target: Path) -> None:
        """Put the whole file at `target` too, which stays when it is given up; raises NotFound."""
        for _ in range(_ATTEMPTS):
            path = self.path(sha256)
            with contextlib.suppress(FileNotFoundError):  # given up between the two
                return target.hardlink_to(path)
        return target.hardlink_to(self.path(sha256))

    def is_asked_for_again(self, sha256: str) -> bool:
        """Whether someone wanted this file whole before: then it is worth to be whole again.

        Who reads every file once (a mirror, a crawler) does not drive out what many want.
        """
        with self._turn:
            if self._asked.pop(sha256, False):
                return self._recipe(sha256).size <= self._bound_bytes
            self._asked[sha256] = True
            if len(self._asked) > REMEMBERED_FILES:
                self._asked.pop(next(iter(self._asked)))
            return False

    def reader(self, sha256: str) -> Reader:
        """The file's bytes at any place, without building it; raises NotFound."""
        if self._store.has(sha256):
            with contextlib.suppress(NotFound, FileNotFoundError):
                return WholeReader(self.path(sha256))
        return self.decoding(sha256)

    def head(self, sha256: str, count: int) -> bytes | None:
        """Up to `count` bytes that a file begins with, at most one segment; None if it is not here."""
        try:
            with contextlib.closing(self.reader(sha256)) as source:
                return source.read(0, min(count, source.size))
        except NotFound:
            return None

    def decoding(self, sha256: str) -> SegmentReader:
        """The file's bytes from its segments, each checked; raises NotFound."""
        return SegmentReader(self._recipe(sha256), self._blobs, self._codecs)

    def checked(self, sha256: str) -> CheckedReader:
        """The file's bytes from where they are right, without building it; raises NotFound."""
        recipe = self._recipe(sha256)
        return CheckedReader(self._store.path(sha256), recipe, self.decoding(sha256))

    def trim(self) -> list[str]:
        """Give up the files that were not read for longest, until the rest keeps to the bound."""
        found = []
        for sha256 in self._store.digests():
            with contextlib.suppress(FileNotFoundError):
                stat = self._store.own(sha256).stat()
                if stat.st_size >= NEVER_GIVEN_UP_BYTES:
                    found.append((stat.st_mtime, stat.st_size, sha256))
        over = sum(size for _, size, _ in found) - self._bound_bytes
        gone: list[str] = []
        for _, size, sha256 in sorted(found):
            if over <= 0:
                break
            with self._database.reading() as connection:
                kept = recipes.body(connection, sha256) is not None
            if kept:
                self._store.delete(sha256)
                gone.append(sha256)
                over -= size
        return gone

    def _recipe(self, sha256: str) -> Recipe:
        with self._database.reading() as connection:
            found = recipes.find(connection, sha256)
        if found is None:
            raise NotFound("No release holds a file of this sha256", where=sha256[:64])
        return found

    def _build(self, sha256: str) -> None:
        partial = self._store.stage()
        try:
            put_together(self._recipe(sha256), self._blobs, partial, self._codecs)
            self._store.commit(partial, sha256)
        finally:
            self._store.discard(partial)

    @contextmanager
    def _alone(self, sha256: str) -> Iterator[None]:
        """One builds a file; whoever else wants it waits."""
        with self._turn:
            turn = self._building.setdefault(sha256, _Turn())
        with turn.lock:
            yield


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class WholeReader:
    """Bytes of a file that lies whole on the disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start` on."""
        return os.pread(self._file.fileno(), count, start)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class SegmentReader:
    """Bytes of a file that is decoded as it is read; one segment is in memory."""

    def __init__(self, recipe: Recipe, blobs: Blobs, codecs: Codecs) -> None:
        self.size = recipe.size
        self._segments = list(recipe.segments())
        self._blobs = blobs
        self._codecs = codecs
        self._at = 0
        self._held = b""
        self._from = 0

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start` on, as far as one segment reaches."""
        if not self._from <= start < self._from + len(self._held):
            self._load(start)
        offset = start - self._from
        return self._held[offset : offset + count]

    def whole(self, start: int, count: int) -> bytes:
        """Exactly `count` bytes from `start` on; raises IntegrityError where the file ends before."""
        if start + count > self.size:
            raise IntegrityError("a file ends before its bytes", expected=start + count)
        found = b""
        while len(found) < count:
            found += self.read(start + len(found), count - len(found))
        return found

    def close(self) -> None:
        """Forget the segment."""
        self._held = b""

    def _load(self, start: int) -> None:
        while self._segments[self._at][1] > start:
            self._at -= 1
        while sum(self._segments[self._at][1:]) <= start:
            self._at += 1
        identifier, self._from, size = self._segments[self._at]
        with self._codecs.one() as codec:
            self._held = bytes(decoded(self._blobs, codec, identifier, size))


class CheckedReader:
    """Bytes that are right: of the whole file where they have the id of a segment, else decoded.

    Safe to use from several threads at once.
    """

    def __init__(self, path: Path, recipe: Recipe, decoding: SegmentReader) -> None:
        self._path = path
        self._ids = {(start, size): each for each, start, size in recipe.segments()}
        self._decoding = decoding
        self._turn = threading.Lock()

    def read(self, start: int, count: int) -> bytes:
        """Exactly `count` bytes from `start` on; raises NotFound or IntegrityError where they are lost."""
        if (identifier := self._ids.get((start, count))) is not None:
            with (
                contextlib.suppress(FileNotFoundError, IntegrityError),
                self._path.open("rb") as file,
            ):
                content = read(file.fileno(), start, count)
                if blake3.blake3(content).hexdigest() == identifier:
                    return bytes(content)
        with self._turn:
            return self._decoding.whole(start, count)


Reader = WholeReader | SegmentReader
