"""Archives of strangers (`.tar`, also packed), read member by member; what that costs is bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Self

HEADER_BYTES = 64 << 10
"""So long a member's name and other notes may be, and those on all members together."""
_NOTES = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE,
          tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)  # fmt: skip
_PACKED: dict[bytes, Callable[[Path], IO[bytes] | gzip.GzipFile]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


class Broken(Exception):
    """The archive cannot be read, or not to its end; says why."""


class Member(NamedTuple):
    """One member; `read` gives so many of its bytes at most, and is for before the next member.

    It raises Broken where the archive was cut off within them.
    """

    name: str
    size: int
    plain: bool
    """Whether it is a file, rather than a folder, a link or a device."""
    read: Callable[[int], bytes]


def members(path: Path) -> Iterator[Member]:
    """The members, in their order. Raises Broken for no archive, and for one that was cut off.

    How many there are and how large is for the caller to bound.
    """
    with _telling(), _unpacked(path) as file, _Archive.open(fileobj=file, mode="r|") as opened:
        while (info := opened.next()) is not None:
            opened.members.clear()  # type: ignore[attr-defined]
            content = opened.extractfile(info) if info.isreg() else None
            read = _reading(content) if content else _nothing
            yield Member(info.name, info.size, content is not None, read)


def _reading(content: IO[bytes]) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        with _telling():
            return content.read(count)

    return read


def is_archive(path: Path) -> bool:
    """Whether the file is one that `members` reads: by what it holds."""
    try:
        next(members(path), None)
    except Broken:
        return False
    return True


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise Broken(str(error)[:200]) from error
    except RecursionError as error:
        raise Broken("one header after another") from error


def _unpacked(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        first = file.read(6)
    for magic, opened in _PACKED.items():
        if first.startswith(magic):
            return opened(path)
    return path.open("rb")


def _nothing(_count: int) -> bytes:
    return b""


class _Info(tarfile.TarInfo):
    """A header: those that tell of other members are read into memory, whatever size they claim."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """The next header; tarfile takes a damaged one for the end of the archive."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from None

    def _proc_member(self, archive: _Archive) -> tarfile.TarInfo:
        if self.size < 0 or self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file, or one of less than no bytes")
        if self.type in _NOTES:
            archive.notes += self.size if self.type == tarfile.XGLTYPE else 0
            if max(self.size, archive.notes) > HEADER_BYTES:
                raise tarfile.ReadError(f"a header of more than {HEADER_BYTES} bytes")
        found: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return found

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise tarfile.ReadError("a sparse file")


class _Archive(tarfile.TarFile):
    tarinfo = _Info
    notes = 0
    """Bytes of the headers that hold for all members."""
