"""A file of which only so many bytes may be read: what keeps a reader to the headers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from modelshelf.errors import FormatError

SMALL_BYTES = 4096
"""Reads up to this size are charged afterwards: asking for the place each time costs more."""


class Seekable(Protocol):
    """What a window looks into: a binary file, or a section of one."""

    def read(self, count: int = -1, /) -> bytes:
        """Up to `count` bytes from here."""

    def readline(self, limit: int = -1, /) -> bytes:
        """The bytes up to and with the next line feed, at most `limit`."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move; returns the new place."""

    def tell(self) -> int:
        """The place in the file, in bytes."""


class Section:
    """The bytes of a file from `start` to `end` as a file of their own."""

    def __init__(self, file: Seekable, start: int, end: int) -> None:
        self._file = file
        self._start = start
        self._size = end - start
        self._at = 0

    def read(self, count: int = -1, /) -> bytes:
        """Up to `count` bytes from here; all of the rest if negative."""
        left = max(self._size - self._at, 0)
        self._file.seek(self._start + self._at)
        content = self._file.read(left if count < 0 else min(count, left))
        self._at += len(content)
        return content

    def readline(self, limit: int = -1, /) -> bytes:
        """The bytes up to and with the next line feed, at most `limit`."""
        left = max(self._size - self._at, 0)
        self._file.seek(self._start + self._at)
        content = self._file.readline(left if limit < 0 else min(limit, left))
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move as `io` does; returns the new place."""
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise ValueError("negative seek position")
        self._at = at
        return at

    def tell(self) -> int:
        """The place in the section, in bytes."""
        return self._at


class Window:
    """A binary file with an allowance; `spent` counts the bytes asked for so far.

    It has the methods that `zipfile` and `pickletools` need. A read beyond the allowance raises
    FormatError before anything is allocated.
    """

    def __init__(self, file: Seekable, *, allowance: int) -> None:
        self._file = file
        self.allowance = allowance
        self.spent = 0
        self.size = file.seek(0, 2)
        file.seek(0)

    def read(self, count: int = -1) -> bytes:
        """Up to `count` bytes from here; all of the rest if negative."""
        if 0 <= count <= SMALL_BYTES:
            content = self._file.read(count)
            self._charge(len(content))
            return content
        left = max(self.size - self.tell(), 0)
        wanted = left if count < 0 else min(count, left)
        self._charge(wanted)
        return self._file.read(wanted)

    def readline(self) -> bytes:
        """The bytes up to and with the next line feed."""
        line = self._file.readline(self.allowance - self.spent + 1)
        self._charge(len(line))
        return line

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as `io` does; returns the new place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file, in bytes."""
        return self._file.tell()

    def seekable(self) -> bool:
        """True: `zipfile` asks."""
        return True

    @property
    def file(self) -> Seekable:
        """What it looks into; reading there is not charged here."""
        return self._file

    def _charge(self, count: int) -> None:
        if self.spent + count > self.allowance:
            raise FormatError(
                "the file's headers are larger than any real model needs",
                expected=f"at most {self.allowance} bytes",
                got=f"at least {self.spent + count} bytes",
            )
        self.spent += count


@contextmanager
def opened(path: Path, *, allowance: int) -> Iterator[Window]:
    """Open `path` with an allowance of bytes."""
    with path.open("rb") as file:
        yield Window(file, allowance=allowance)
