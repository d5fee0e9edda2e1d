"""The zip archive in which PyTorch keeps a pickle and its storages; only directory and pickles read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.window import Window

DIRECTORY_BYTES = 8 * 1024 * 1024
"""The largest directory of entries: some 100,000 tensors."""
PICKLE_BYTES = 64 * 1024 * 1024
RATIO = 100
"""A pickle that unpacks to more than this many times its size is a bomb."""

_ENCRYPTED = 0x1


class Archive:
    """An opened archive: `entries` are the sizes in bytes by name, without the top folder."""

    def __init__(self, window: Window) -> None:
        self._window = window
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
        cut = len(self.folder) + 1
        self._infos = {
            info.filename[cut:]: info
            for info in infos
            if info.filename.startswith(f"{self.folder}/") and not info.is_dir()
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
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise FormatError(f"{name} is damaged", got=str(error)[:200]) from error
        if len(content) != info.file_size:
            raise FormatError(
                f"{name} has another size than the archive says",
                expected=f"{info.file_size} bytes",
                got=f"{len(content)} bytes",
            )
        return content

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
        if infos and min(info.header_offset for info in infos) != 0:
            raise FormatError("something stands before the archive in the file")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open the archive at `path`, reading its directory only."""
    with path.open("rb") as file:
        yield Archive(Window(file, allowance=DIRECTORY_BYTES))


def entry_names(path: Path) -> frozenset[str]:
    """The names in the archive at `path`, without its top folder; empty if it cannot be read."""
    try:
        with opened(path) as archive:
            return frozenset(archive.entries)
    except FormatError:
        return frozenset()
