"""Who needs the files of the store: the shelves of this user, each remembered by one small file.

home/roots/ID     the folder of a shelf; ID is made of its path
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from modelshelf.errors import ShelfError

FOLDER = "roots"
longest_path_bytes = 1 << 16
_PART = ".part"


def register(home: Path, shelf: Path) -> None:
    """Remember that the shelf at the folder `shelf` needs files of the store of `home`.

    Cheap where it is remembered already. The caller is alone on the shelf (`Shelf.writing`).
    """
    content = os.fsencode(shelf.resolve())
    path = _place(home, content)
    if _content(path) == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def registered(home: Path) -> list[Path]:
    """The folder of every shelf that was ever changed, whether it is still there or not.

    Raises ShelfError where that cannot be known: then nothing may be taken from the store.
    """
    folder = home / FOLDER
    if not folder.exists():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix == _PART:
            continue
        content = _content(path)
        if content is None or _place(home, content) != path:
            raise ShelfError(
                "which shelves there are cannot be read",
                where=str(path),
                hint="delete this file, then run in each of your projects: shelf install",
            )
        found.append(Path(os.fsdecode(content)))
    return found


def forget(home: Path, shelf: Path) -> None:
    """The shelf at the folder `shelf`, as `registered` gives it, needs nothing any more."""
    _place(home, os.fsencode(shelf)).unlink(missing_ok=True)


def _place(home: Path, content: bytes) -> Path:
    return home / FOLDER / hashlib.sha256(content).hexdigest()[:32]


def _content(path: Path) -> bytes | None:
    """What the file at `path` holds, None where there is none or it is no path."""
    try:
        with path.open("rb") as file:
            content = file.read(longest_path_bytes)
    except OSError:
        return None
    return content if content and b"\0" not in content else None
