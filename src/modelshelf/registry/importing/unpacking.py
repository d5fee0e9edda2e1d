"""Archives of strangers, unpacked within bounds: plain files only, below one folder."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from lzma import LZMAError
from pathlib import Path

from modelshelf.errors import FormatError, Invalid
from modelshelf.package.path import unsafe_path

SUFFIXES = (".tar.gz", ".tgz", ".tar")
MOST_MEMBERS = 20_000


def is_archive(path: Path) -> bool:
    """Whether the file is one that `unpack` takes: by what it holds, as addresses tell little."""
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError, zlib.error, LZMAError):
        return False


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """Unpack plain files and folders; raises Invalid for what would lie elsewhere or is too much."""
    left = most_bytes
    try:
        with tarfile.open(archive) as opened:
            for count, member in enumerate(opened):
                if count >= MOST_MEMBERS:
                    raise Invalid("the archive holds too much", expected=f"{MOST_MEMBERS} files")
                if (left := left - member.size) < 0:
                    raise Invalid("the archive unpacks to too much", expected=f"{most_bytes} bytes")
                _take(opened, member, folder)
    except (tarfile.TarError, OSError, EOFError, zlib.error, LZMAError, ValueError) as error:
        raise FormatError(
            "the archive cannot be unpacked", where=archive.name, got=str(error)[:200]
        ) from error


def _take(opened: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = "/".join(part for part in member.name.split("/") if part not in ("", "."))
    if not member.isfile() or not name:
        return  # folders come with their files; links and devices are nobody's model
    if wrong := unsafe_path(name):
        raise Invalid(f"the archive holds a path that is refused: {wrong}", where=name[:200])
    source = opened.extractfile(member)
    assert source is not None
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
