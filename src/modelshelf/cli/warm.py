"""The warm no-op: `shelf install` of what is there already, answered by a stamp file alone.

Only `os` and `sys` are imported, so that the answer costs about as much as starting Python.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STAMP = os.path.join(".shelf", "stamp")  # noqa: PTH118 (importing pathlib costs 5 ms)


def answered(names: Sequence[str]) -> bool:
    """Whether all of `names` (none: the whole shelf) is installed and unchanged; says so if it is.

    Options of any kind are not for here, but for `--json`.
    """
    plain = [name for name in names if name != "--json"]
    if any(name.startswith("-") for name in plain):
        return False
    lines = _stamp()
    if lines is None or not set(plain) <= {line[1:] for line in lines if line[:1] == "="}:
        return False
    files = [line for line in lines if line[:1] != "="]
    if not files or not all(map(_unchanged, files)):
        return False
    if len(plain) < len(names):
        sys.stdout.write('{"changes":[],"bytes_fetched":0}\n')
    else:
        sys.stdout.write("Nothing to do: everything is installed.\n")
    return True


def _stamp() -> list[str] | None:
    """The lines of the stamp of the nearest shelf above, or None."""
    folder = os.getcwd()  # noqa: PTH109
    while not os.path.exists(os.path.join(folder, "shelf.toml")):  # noqa: PTH110, PTH118
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return None
        folder = parent
    try:
        with open(os.path.join(folder, STAMP), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read().split("\n")
    except (OSError, ValueError):
        return None


def _unchanged(line: str) -> bool:
    """`line` is `modification time in ns, size, path`."""
    try:
        modified, size, path = line.split(" ", 2)
        stat = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return stat.st_mtime_ns == int(modified) and stat.st_size == int(size)
