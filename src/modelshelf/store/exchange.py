"""Two names change places at once, so that at no moment there is nothing under either."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h


def exchanged(one: Path, other: Path) -> bool:
    """Whether what is at `one` is now at `other`, and the other way round.

    Only Linux can (renameat2(2)), and not on every file system; elsewhere nothing has changed.
    """
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    return bool(rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
