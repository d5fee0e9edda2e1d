"""Objects of buckets as files, for DuckDB, which reads through fsspec.

A read is one request for a range of bytes. From an object store that answers such a request with
the status of a whole object, which the library below refuses, objects are fetched whole into a
folder, where `KEPT_BYTES` of them are kept.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fsspec.spec import AbstractFileSystem

from modelshelf.errors import ShelfError
from modelshelf.store.objects import Objects

KEPT_BYTES = 4 << 30
PROTOCOL = "s3"
"""DuckDB keeps what it has read of files that are far away, which it tells by such names."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Of files that changed a moment ago it keeps nothing; these do not change."""


class BucketFiles(AbstractFileSystem):  # type: ignore[misc]
    """The objects of some buckets, which do not change meanwhile; to be read only.

    What a library that calls this makes of an error may not tell much: `failure` has the last one
    as people understand it. Objects that must be fetched whole are kept in `folder`.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.failure: ShelfError | None = None
        self._folder = folder
        self._mounted: list[Objects] = []
        self._sizes: dict[str, int] = {}
        self._whole: dict[str, Path] = {}
        self._ranges = True
        self._turn = threading.Lock()
        self._number = itertools.count()

    def mount(self, objects: Objects) -> str:
        """What the addresses of these objects begin with here; their keys follow."""
        self._mounted.append(objects)
        return f"{PROTOCOL}://{len(self._mounted) - 1}/"

    def glob(self, path: str, **_: object) -> list[str]:
        """The object itself: keys are not patterns here."""
        return [path]

    def info(self, path: str, **_: object) -> dict[str, object]:
        """What is known of an object without reading it."""
        return {"name": path, "type": "file", "size": self._size(path)}

    def modified(self, path: str) -> datetime:  # noqa: ARG002
        """Long ago."""
        return _LONG_AGO

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        """The object as a file to read."""
        if mode != "rb":
            raise NotImplementedError("a bucket is only read")
        return _Ranges(self, path, self._size(path))

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`."""
        with self._telling():
            if self._ranges:
                objects, key = self._object(path)
                if (content := objects.range(key, start, end)) is not None:
                    return content
                self._ranges = False
            with self._fetched(path) as file:
                file.seek(start)
                return file.read(end - start)

    def _fetched(self, path: str) -> io.BufferedReader:
        """The whole object, opened; one thread fetches at a time."""
        with self._turn:
            if path not in self._whole:
                self._make_room(self._size(path))
                kept = self._folder / f"object-{next(self._number)}"
                objects, key = self._object(path)
                objects.fetch(key, kept)
                self._whole[path] = kept
            return self._whole[path].open("rb")

    def _make_room(self, size: int) -> None:
        """Forget those that came first; who has one open goes on reading it."""
        while self._whole and sum(map(self._size, self._whole)) + size > KEPT_BYTES:
            self._whole.pop(next(iter(self._whole))).unlink()

    def _size(self, path: str) -> int:
        if path not in self._sizes:
            with self._telling():
                objects, key = self._object(path)
                self._sizes[path] = objects.size(key)
        return self._sizes[path]

    def _object(self, path: str) -> tuple[Objects, str]:
        number, _, key = path.removeprefix(f"{PROTOCOL}://").partition("/")
        return self._mounted[int(number)], key

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except ShelfError as error:
            self.failure = error
            raise


class _Ranges(io.RawIOBase):
    """A file whose reads are requests; each thread has a cursor of its own, for they share files."""

    def __init__(self, files: BucketFiles, path: str, size: int) -> None:
        self._files, self._path, self.size = files, path, size
        self._cursor = threading.local()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return getattr(self._cursor, "at", 0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self.size}[whence]
        self._cursor.at = start + offset
        return start + offset

    def read(self, size: int = -1) -> bytes:
        start = self.tell()
        end = self.size if size < 0 else min(self.size, start + size)
        if end <= start:
            return b""
        content = self._files.read_range(self._path, start, end)
        self.seek(end)
        return content
