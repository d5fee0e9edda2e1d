"""Blobs: stored segments by their key, on local disk; `s3.S3Blobs` has the same methods.

root/ab/KEY             KEY is `ID`, or `ID-BASE` for a segment told against a base; never changed
root/ab/.RANDOM.part    what is being written; left there by a killed process, see `sweep`
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from modelshelf.errors import Invalid, NotFound
from modelshelf.store.disk import sync_path, telling_full
from modelshelf.store.recipe import is_key

_PART = ".part"


FOLDER = "segments"
"""What the folder of blobs is called, below a registry's data or a store."""


class Held(NamedTuple):
    """One blob that is kept: its key, its bytes, and when it was written (seconds since 1970)."""

    key: str
    size: int
    written: float


class Blobs(Protocol):
    """Where blobs lie. Each method that is told a key raises Invalid if it is none."""

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keep a blob; one that is here already is left as it is. All of it or nothing is seen.

        Either way it counts as written now (in a bucket, within the hour), so that who deletes
        what is old and not needed lets it be.
        """

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


def place_of(key: str) -> str:
    """Where the blob lies below the root of all, `ab/KEY`; raises Invalid if this is no key."""
    if not is_key(key):
        raise Invalid("This is not the key of a segment", got=key[:140])
    return f"{key[:2]}/{key}"


class DiskBlobs:
    """Blobs below the folder `root`. With `fsync` a blob that was put survives a loss of power."""

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        self.root = root
        self._fsync = fsync

    def path(self, key: str) -> Path:
        """Where the blob lies, or would lie; raises Invalid if this is no key."""
        return self.root / place_of(key)

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keep a blob; one that is here already is left as it is. Raises ShelfError on a full disk."""
        target = self.path(key)
        with contextlib.suppress(FileNotFoundError):
            os.utime(target)
            return
        partial = target.with_name(f".{secrets.token_hex(8)}{_PART}")
        with telling_full(target):
            self._make(target.parent)
            try:
                self._write(partial, content)
                _settle(partial, target)
            finally:
                partial.unlink(missing_ok=True)
        if self._fsync and os.name == "posix":
            sync_path(target.parent)

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
            if is_key(path.name) and path == self.path(path.name):
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    yield Held(path.name, stat.st_size, stat.st_mtime)

    def url(self, key: str) -> str | None:
        """None: they are served by the registry, or by what serves the folder beside it."""
        self.path(key)
        return None

    def sweep(self, *, older_than_seconds: float) -> list[Path]:
        """Take away what killed processes left half written so long ago, and return it."""
        limit = time.time() - older_than_seconds
        gone = []
        for path in self.root.glob(f"??/.*{_PART}"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    gone.append(path)
        return gone

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            if self._fsync and os.name == "posix":
                sync_path(self.root)

    def _write(self, partial: Path, content: bytes | memoryview) -> None:
        with partial.open("xb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            if self._fsync:
                os.fsync(file.fileno())


def _settle(partial: Path, target: Path) -> None:
    """Give what was written its name, unless another put it first: a rename would replace that."""
    try:
        target.hardlink_to(partial)
    except FileExistsError:
        return
    except OSError:
        # this file system has no hard links
        partial.replace(target)
