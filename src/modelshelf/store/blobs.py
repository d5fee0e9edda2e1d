"""Blobs: stored segments by their key, on local disk; `s3.S3Blobs` has the same methods.

root/ab/KEY    KEY is `ID`, or `ID-BASE` for a segment told against a base; never changed
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from modelshelf.errors import Invalid, NotFound
from modelshelf.store.disk import telling_full
from modelshelf.store.recipe import is_key


class Held(NamedTuple):
    """One blob that is kept: its key, its bytes, and when it was written (seconds since 1970)."""

    key: str
    size: int
    written: float


class Blobs(Protocol):
    """Where blobs lie."""

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keep a blob; one that is here already is left as it is. All of it or nothing is seen."""

    def get(self, key: str) -> bytes:
        """The whole blob; raises NotFound."""

    def size(self, key: str) -> int | None:
        """Its bytes, None where it is not here."""

    def delete(self, key: str) -> None:
        """Forget a blob; nothing happens if it is not here."""

    def held(self) -> Iterator[Held]:
        """Everything that is here, in no order."""

    def url(self, key: str) -> str | None:
        """Where clients fetch it without asking us, for a while; None where only we have it."""


class DiskBlobs:
    """Blobs below the folder `root`. With `fsync` a blob that was put survives a loss of power."""

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        self.root = root
        self._fsync = fsync

    def path(self, key: str) -> Path:
        """Where the blob lies, or would lie; raises Invalid if this is no key."""
        if not is_key(key):
            raise Invalid("This is not the key of a segment", got=key[:140])
        return self.root / key[:2] / key

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keep a blob; one that is here already is left as it is."""
        target = self.path(key)
        if target.exists():
            with contextlib.suppress(FileNotFoundError):
                return os.utime(target)
        partial = target.with_name(f".{secrets.token_hex(8)}.part")
        with telling_full(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._write(partial, content)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
        return None

    def get(self, key: str) -> bytes:
        """The whole blob; raises NotFound."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise NotFound("This segment is not here", where=key) from None

    def size(self, key: str) -> int | None:
        """Its bytes, None where it is not here."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Forget a blob; nothing happens if it is not here."""
        self.path(key).unlink(missing_ok=True)

    def held(self) -> Iterator[Held]:
        """Everything that is here, in no order."""
        for path in self.root.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                if is_key(path.name):
                    stat = path.stat()
                    yield Held(path.name, stat.st_size, stat.st_mtime)

    def url(self, key: str) -> str | None:
        """None: they are served by the registry, or by what serves the folder beside it."""
        del key

    def _write(self, partial: Path, content: bytes | memoryview) -> None:
        with partial.open("xb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            if self._fsync:
                os.fsync(file.fileno())
