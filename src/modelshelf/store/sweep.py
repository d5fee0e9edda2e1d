"""Partials: who writes to one, and which of them nobody goes on with.

A file that is made of segments is several partials, which come and go together:

    SHA256-parts     as long as the file will be, filled here and there
    SHA256-done      which of its segments are there
    SHA256-inbox-N   a segment as it arrives, one for each thread
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from modelshelf.errors import Conflict

_LOCK = ".lock"
PARTS = "-parts"
_BESIDE = re.compile(r"(?P<name>.+)-(done|inbox-\d)")


def done_path(parts: Path) -> Path:
    """Where it stands which segments of `parts` are there."""
    return _beside(parts, "-done")


def inbox_path(parts: Path, number: int) -> Path:
    """Where thread `number` keeps the segment that it is receiving."""
    return _beside(parts, f"-inbox-{number}")


def owner(partial: Path) -> Path:
    """The partial whose lock counts for this one, and with which it goes: mostly itself."""
    match = _BESIDE.fullmatch(partial.name)
    return partial.with_name(match["name"] + PARTS) if match else partial


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
    """Take the partial away, if it is still there, and its lock unless someone else has it.

    What lies beside it goes after it: without it, it means nothing.
    """
    partial.unlink(missing_ok=True)
    for each in _all_beside(partial):
        each.unlink(missing_ok=True)
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
    found = partials(folder)
    newest: dict[Path, float] = {}
    for path in found:
        newest[owner(path)] = max(_changed(path), newest.get(owner(path), 0.0))
    return [path for path in found if newest[owner(path)] < limit and not _written(owner(path))]


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


def _beside(parts: Path, what: str) -> Path:
    return parts.with_name(parts.name.removesuffix(PARTS) + what)


def _all_beside(partial: Path) -> list[Path]:
    if not partial.name.endswith(PARTS):
        return []
    return [done_path(partial), *(inbox_path(partial, number) for number in range(10))]


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
