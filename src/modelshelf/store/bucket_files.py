"""Objects of a bucket as files, for libraries that read through fsspec, such as DuckDB.

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
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import obstore
from fsspec.spec import AbstractFileSystem
from obstore.exceptions import BaseError, GenericError

from modelshelf.errors import IntegrityError, ShelfError
from modelshelf.store.bucket import Bucket
from modelshelf.store.s3 import meant, opened

KEPT_BYTES = 4 << 30
TIMEOUT_SECONDS = 300.0
"""For one request, its answer read: a range, or a whole object where there are no ranges."""
_NO_RANGES = "NotPartial"


class _Facts(NamedTuple):
    size: int
    modified: datetime


class BucketFiles(AbstractFileSystem):  # type: ignore[misc]
    """The objects below the prefix of `bucket`, which do not change meanwhile; to be read only.

    They are addressed as `PROTOCOL://KEY`. What a library that calls this makes of an error may
    not tell much: `failure` has the last one as people understand it. Without a `folder` nothing
    can be opened. Everything raises what `S3Blobs` does.
    """

    cachable = False

    def __init__(self, bucket: Bucket, protocol: str, folder: Path | None) -> None:
        self.protocol = protocol
        super().__init__()
        self.failure: ShelfError | None = None
        self._bucket = bucket
        self._store = opened(bucket, bucket.endpoint, TIMEOUT_SECONDS)
        self._folder = folder
        self._facts: dict[str, _Facts] = {}
        self._whole: dict[str, Path] | None = None
        self._turn = threading.Lock()
        self._number = itertools.count()

    def glob(self, path: str, **_: object) -> list[str]:
        """The object itself: keys are not patterns here."""
        return [path]

    def info(self, path: str, **_: object) -> dict[str, object]:
        """Size and time of an object."""
        facts = self._fact(path)
        return {"name": path, "type": "file", "size": facts.size, "mtime": facts.modified}

    def modified(self, path: str) -> datetime:
        """When it was written."""
        return self._fact(path).modified

    def open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        """The object as a file to read."""
        if mode != "rb":
            raise NotImplementedError("a bucket is only read")
        return _Ranges(self, path, self._fact(path).size)

    def read_first(self, key: str, size: int) -> bytes:
        """The first bytes of an object, so many at most."""
        content = bytearray()
        with self._telling(key):
            for chunk in obstore.get(self._store, key):
                content += chunk
                if len(content) >= size:
                    break
        return bytes(content[:size])

    def put(self, key: str, file: Path) -> None:
        """Keep the content of a file as an object, in place of what it was before."""
        with self._telling(key):
            obstore.put(self._store, key, file)

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`."""
        with self._telling(path):
            if self._whole is None:
                try:
                    return self._range(path, start, end)
                except GenericError as error:
                    if _NO_RANGES not in str(error):
                        raise
            with self._fetched(path) as file:
                file.seek(start)
                return file.read(end - start)

    def _range(self, path: str, start: int, end: int) -> bytes:
        return obstore.get_range(self._store, self._key(path), start=start, end=end).to_bytes()

    def _fetched(self, path: str) -> io.BufferedReader:
        """The whole object, opened; one thread fetches at a time."""
        with self._turn:
            self._whole = self._whole or {}
            if path not in self._whole:
                self._make_room(self._fact(path).size)
                self._whole[path] = self._fetch(path)
            return self._whole[path].open("rb")

    def _fetch(self, path: str) -> Path:
        assert self._folder is not None
        size, kept = self._fact(path).size, self._folder / f"{self.protocol}-{next(self._number)}"
        with kept.open("xb") as file:
            for chunk in obstore.get(self._store, self._key(path)):
                file.write(chunk)
        if kept.stat().st_size != size:
            raise IntegrityError(
                "An object did not arrive whole",
                where=f"{self._bucket}/{self._key(path)}",
                expected=f"{size} bytes",
                got=f"{kept.stat().st_size} bytes",
            )
        return kept

    def _make_room(self, size: int) -> None:
        """Forget those that came first; who has one open goes on reading it."""
        assert self._whole is not None
        while self._whole and sum(map(_size, self._whole.values())) + size > KEPT_BYTES:
            self._whole.pop(next(iter(self._whole))).unlink()

    def _fact(self, path: str) -> _Facts:
        if path not in self._facts:
            with self._telling(path):
                found = obstore.head(self._store, self._key(path))
                self._facts[path] = _Facts(found["size"], found["last_modified"])
        return self._facts[path]

    def _key(self, path: str) -> str:
        return path.removeprefix(f"{self.protocol}://")

    @contextlib.contextmanager
    def _telling(self, path: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            self.failure = meant(error, self._bucket, self._key(path))
            raise self.failure from error
        except ShelfError as error:
            self.failure = error
            raise


def _size(path: Path) -> int:
    return path.stat().st_size


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
