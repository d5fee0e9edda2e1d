"""The zip archive in which PyTorch keeps a pickle and its storages; only directory and pickles read."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.window import Section, Window

DIRECTORY_BYTES = 8 * 1024 * 1024
"""The largest directory of entries: some 100,000 tensors."""
HEADER_BYTES = 512
"""What is read at once where an entry's own header is: 30 bytes and a name."""
PICKLE_BYTES = 64 * 1024 * 1024
RATIO = 100
"""A pickle that unpacks to more than this many times its size is a bomb."""

LOCAL_BYTES = 30
"""The fixed part of the header that stands before each entry."""

_ENCRYPTED = 0x1
# what zipfile raises where an entry is not what the directory says
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
    IndexError,
)
_LOCAL_MARK = b"PK\x03\x04"


class Archive:
    """An opened archive: `entries` are the sizes in bytes by name, without the top folder.

    With `top`, where an archive has no folder at its top, names are what they are. `start` is
    where it begins in its file; None where it is packed in another archive.
    """

    def __init__(self, window: Window, *, top: bool = False, start: int | None = 0) -> None:
        self._window = window
        self._start = start
        try:
            self._zip = zipfile.ZipFile(window)
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
            raise FormatError(
                "the archive is cut off or damaged",
                got=str(error)[:200],
                hint="download or save the file again",
            ) from error
        infos: list[zipfile.ZipInfo] = self._zip.infolist()
        self._refuse_ambiguous(infos)
        self.folder = infos[0].filename.split("/")[0] if infos else ""
        flat = top and any("/" not in info.filename for info in infos)
        prefix = "" if flat else f"{self.folder}/"
        self._infos = {
            info.filename[len(prefix) :]: info
            for info in infos
            if info.filename.startswith(prefix) and not info.is_dir()
        }
        self.entries = {name: info.file_size for name, info in self._infos.items()}

    def text(self, name: str) -> str | None:
        """A short text entry such as `version`; None where it does not exist."""
        if self.entries.get(name, 1000) > 100:
            return None
        return self.read(name).decode("utf-8", "replace").strip()

    def read(self, name: str) -> bytes:
        """All bytes of an entry; raises FormatError for bombs and for what is damaged."""
        info = self._infos[name]
        self._refuse_bomb(info)
        self._window.allowance += min(info.compress_size, PICKLE_BYTES) + 65_536
        try:
            with self._zip.open(info) as file:
                content: bytes = file.read(PICKLE_BYTES + 1)
        except _DAMAGE as error:
            raise FormatError(f"{name} is damaged", got=str(error)[:200]) from error
        if len(content) != info.file_size:
            raise FormatError(
                f"{name} has another size than the archive says",
                expected=f"{info.file_size} bytes",
                got=f"{len(content)} bytes",
            )
        return content

    def span(self, name: str) -> tuple[int, int] | None:
        """Where an entry's bytes lie in the file; None where they are packed.

        Costs one read of 30 bytes: only an entry's own header tells how long that header is.
        """
        place = self._place(name)
        if place is None or self._start is None:
            return None
        return self._start + place[0], self._start + place[1]

    def nested(self, name: str) -> Archive | None:
        """The archive that an entry is; None where the entry is none.

        Where it is not packed, only its directory is read, whatever its size.
        """
        place = self._place(name)
        if place is None:
            content = self.read(name)
            section = Section(io.BytesIO(content), 0, len(content))
        else:
            section = Section(self._window.file, *place)
        if section.read(4) != _LOCAL_MARK:
            return None
        span = self.span(name)
        return Archive(Window(section, allowance=DIRECTORY_BYTES), start=span[0] if span else None)

    def _place(self, name: str) -> tuple[int, int] | None:
        """Where an entry's bytes lie in the archive (PKWARE's APPNOTE, section 4.3.7)."""
        info = self._infos[name]
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
            return None
        self._window.allowance += LOCAL_BYTES
        self._window.seek(info.header_offset)
        header = self._window.read(LOCAL_BYTES)
        start = info.header_offset + LOCAL_BYTES
        start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        end = start + info.file_size
        if not header.startswith(_LOCAL_MARK) or end > self._window.size:
            raise FormatError(
                f"{name[:80]} does not lie where the archive says",
                expected=f"an entry at byte {info.header_offset}",
                hint="download or save the file again",
            )
        return start, end

    def _refuse_bomb(self, info: zipfile.ZipInfo) -> None:
        if info.flag_bits & _ENCRYPTED:
            raise FormatError("the archive is encrypted", hint="save the model without a password")
        if info.file_size > PICKLE_BYTES or info.file_size > RATIO * (info.compress_size + 100):
            raise FormatError(
                f"{info.filename[:80]} unpacks to more than a model needs",
                expected=f"at most {PICKLE_BYTES} bytes and {RATIO} times its packed size",
                got=f"{info.file_size} bytes from {info.compress_size}",
            )

    def _refuse_ambiguous(self, infos: list[zipfile.ZipInfo]) -> None:
        """Two readers must find the same entries: PyTorch's looks names up without their case."""
        names = {info.filename.lower() for info in infos}
        if len(names) != len(infos):
            raise FormatError("the archive has two entries of one name")
        if "" in names:
            raise FormatError("the archive has an entry without a name")
        if infos and min(info.header_offset for info in infos) != 0:
            raise FormatError("something stands before the archive in the file")


@contextmanager
def opened(path: Path, *, top: bool = False) -> Iterator[Archive]:
    """Open the archive at `path`, reading its directory only; `top` as in `Archive`."""
    with path.open("rb", buffering=HEADER_BYTES) as file:
        yield Archive(Window(file, allowance=DIRECTORY_BYTES), top=top)


def entry_names(path: Path, *, top: bool = False) -> frozenset[str]:
    """The names in the archive at `path`, without its top folder; empty if it cannot be read."""
    try:
        with opened(path, top=top) as archive:
            return frozenset(archive.entries)
    except FormatError:
        return frozenset()
