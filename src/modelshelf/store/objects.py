"""Objects of a bucket by their keys: whole, in ranges, and files that become some."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, GenericError

from modelshelf.errors import IntegrityError
from modelshelf.store.bucket import Bucket
from modelshelf.store.s3 import meant, opened

TIMEOUT_SECONDS = 300.0
"""For one request, its answer read: a range, or a whole object."""
_NO_RANGES = "NotPartial"


class Objects:
    """The objects below the prefix of `bucket`. Everything raises what `S3Blobs` does."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self._store = opened(bucket, bucket.endpoint, TIMEOUT_SECONDS)

    def size(self, key: str) -> int:
        """Its bytes."""
        with self._telling(key):
            return obstore.head(self._store, key)["size"]

    def first(self, key: str, size: int) -> bytes:
        """The first bytes of an object, so many at most."""
        content = bytearray()
        with self._telling(key):
            for chunk in obstore.get(self._store, key):
                content += chunk
                if len(content) >= size:
                    break
        return bytes(content[:size])

    def range(self, key: str, start: int, end: int) -> bytes | None:
        """The bytes from `start` to before `end`; None where the object store gives no ranges."""
        with self._telling(key):
            try:
                return obstore.get_range(self._store, key, start=start, end=end).to_bytes()
            except GenericError as error:
                if _NO_RANGES not in str(error):
                    raise
                return None

    def fetch(self, key: str, into: Path) -> None:
        """Write a whole object into a new file."""
        expected, size = self.size(key), 0
        with self._telling(key), into.open("xb") as file:
            for chunk in obstore.get(self._store, key):
                size += file.write(chunk)
        if size != expected:
            raise IntegrityError(
                "An object did not arrive whole",
                where=f"{self.bucket}/{key}",
                expected=f"{expected} bytes",
                got=f"{size} bytes",
            )

    def put(self, key: str, file: Path) -> None:
        """Keep the content of a file as an object, in place of what it was before."""
        with self._telling(key):
            obstore.put(self._store, key, file)

    @contextlib.contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise meant(error, self.bucket, key) from error
