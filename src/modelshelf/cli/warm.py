"""The warm no-op: `shelf install` or `sync` of what is there already, answered by a stamp file alone.

Only `os` and `sys` are imported, so that the answer costs about as much as starting Python.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STAMP = os.path.join(".shelf", "stamp")  # noqa: PTH118 (importing pathlib costs 5 ms)


PROJECTS = ("shelf.toml", "pyproject.toml")


def answered(names: Sequence[str]) -> bool:
    """Whether all of `names` (none: the whole shelf) is installed and unchanged; says so if it is.

    Options of any kind are not for here.
    """
    if any(name.startswith("-") for name in names):
        return False
    lines = _stamp()
    if lines is None or not set(names) <= {line[1:] for line in lines if line[:1] == "="}:
        return False
    files = [line for line in lines if line[:1] != "="]
    if not files or not all(map(_unchanged, files)):
        return False
    sys.stdout.write("Nothing to do: everything is installed.\n")
    return True


def _stamp() -> list[str] | None:
    """The lines of the stamp of the nearest shelf above, or None."""
    if os.environ.get("MODELSHELF_ENVIRONMENT"):
        return None
    folder = os.getcwd()  # noqa: PTH109
    while not _is_project(folder):
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return None
        folder = parent
    try:
        with open(os.path.join(folder, STAMP), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read().split("\n")
    except (OSError, ValueError):
        return None


def _is_project(folder: str) -> bool:
    """As `client.shelf.is_project`, or more: that reads TOML, which costs too much to import."""
    own, other = (os.path.join(folder, name) for name in PROJECTS)  # noqa: PTH118
    if os.path.exists(own):  # noqa: PTH110
        return True
    try:
        with open(other, "rb") as file:  # noqa: PTH123
            return b"modelshelf" in file.read()
    except OSError:
        return False


def _unchanged(line: str) -> bool:
    """`line` is `modification time in ns, size, path`."""
    try:
        modified, size, path = line.split(" ", 2)
        stat = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return stat.st_mtime_ns == int(modified) and stat.st_size == int(size)
