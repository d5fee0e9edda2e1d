"""Partials: who writes to one, and which of them nobody goes on with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from modelshelf.errors import Conflict

_LOCK = ".lock"


@contextlib.contextmanager
def alone(partial: Path) -> Iterator[None]:
    """Hold the lock beside `partial`; a lock left by a killed process counts for nothing.

    Raises Conflict where someone else writes to it.
    """
    lock = FileLock(_lock_path(partial), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict(
            "Someone else is sending this file", where=partial.name, hint="try again in a moment"
        ) from None
    try:
        yield
    finally:
        lock.release()


def forget(partial: Path) -> None:
    """Take the partial away, if it is still there, and its lock unless someone else has it."""
    partial.unlink(missing_ok=True)
    lock = _lock_path(partial)
    if not lock.exists():
        return
    # unlinked while it is held: who waits for it sees that and takes a new one
    with contextlib.suppress(Conflict, FileNotFoundError), alone(partial):
        lock.unlink(missing_ok=True)


def partials(folder: Path) -> list[Path]:
    """The partials in `folder`, by name, without their locks."""
    return sorted(path for path in folder.iterdir() if path.suffix != _LOCK)


def stale(folder: Path, *, older_than_seconds: float) -> list[Path]:
    """The partials that nobody wrote to for so long and that nobody has open to write to."""
    limit = time.time() - older_than_seconds
    return [path for path in partials(folder) if _changed(path) < limit and not _written(path)]


def sweep(folder: Path, *, older_than_seconds: float) -> list[Path]:
    """Forget the partials that are stale, and the locks of those that went; return the former."""
    gone = stale(folder, older_than_seconds=older_than_seconds)
    for path in gone:
        forget(path)
    limit = time.time() - older_than_seconds
    for path in list(folder.glob(f"*{_LOCK}")):
        partial = path.with_suffix("")
        if not partial.exists() and _changed(path) < limit:
            forget(partial)
    return gone


def _written(partial: Path) -> bool:
    """Whether a living process has it open to write to."""
    if not _lock_path(partial).exists():
        return False
    try:
        with alone(partial):
            return False
    except Conflict:
        return True


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _lock_path(partial: Path) -> Path:
    return partial.with_name(partial.name + _LOCK)
