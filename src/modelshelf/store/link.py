"""One file at a second place: as a hard link, else as shared blocks, as a symbolic link or a copy."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

_CANNOT_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES, errno.EROFS}
_FICLONE = 0x40049409
"""`_IOW(0x94, 9, int)` of <linux/fs.h>: the new file shares the blocks of the old one."""


def place(source: Path, target: Path, *, lent: bool = False) -> None:
    """Make `target`, which is not there yet, the file `source`.

    A hard link costs nothing, but not every file may have one (another device, a read-only one, a
    file of someone else where /proc/sys/fs/protected_hardlinks forbids it). Then blocks are shared
    where the file system can. Else a `lent` file, which stays where it is and as it is, gets a
    symbolic link, and any other is copied.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
    else:
        return
    if _clone(source, target):
        target.chmod(0o444)
        return
    if lent:
        with contextlib.suppress(OSError):  # Windows allows no such links to most people
            target.symlink_to(source.absolute())
            return
    shutil.copyfile(source, target)
    target.chmod(0o444)


def _clone(source: Path, target: Path) -> bool:
    """Whether `target` could be made of the blocks of `source`; if not, it is not there."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return False
    with source.open("rb") as old, target.open("xb") as new, contextlib.suppress(OSError):
        fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        return True
    target.unlink()
    return False
