"""Archives of strangers, unpacked within bounds: plain files only, below one folder."""

from __future__ import annotations

from pathlib import Path

from modelshelf.errors import FormatError, Invalid
from modelshelf.package.path import unsafe_path
from modelshelf.store.archive import Broken, Member, is_archive, members

__all__ = ["MOST_MEMBERS", "is_archive", "unpack"]

MOST_MEMBERS = 20_000
_BLOCK_BYTES = 1 << 20


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """Unpack plain files and folders; raises Invalid for what would lie elsewhere or is too much."""
    left = most_bytes
    try:
        for count, member in enumerate(members(archive)):
            if count >= MOST_MEMBERS:
                raise Invalid("the archive holds too much", expected=f"{MOST_MEMBERS} files")
            if (left := left - member.size) < 0:
                raise Invalid("the archive unpacks to too much", expected=f"{most_bytes} bytes")
            _take(member, folder)
    except (Broken, OSError) as error:
        raise FormatError(
            "the archive cannot be unpacked", where=archive.name, got=str(error)[:200]
        ) from error


def _take(member: Member, folder: Path) -> None:
    name = "/".join(part for part in member.name.split("/") if part not in ("", "."))
    if not member.plain or not name:
        return  # folders come with their files; links and devices are nobody's model
    if wrong := unsafe_path(name):
        raise Invalid(f"the archive holds a path that is refused: {wrong}", where=name[:200])
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while block := member.read(_BLOCK_BYTES):
            file.write(block)
