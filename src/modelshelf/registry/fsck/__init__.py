"""Fsck: whether all that the database says is there is there and right, and mending what is not.

Front door: `run` reads everything: files from their segments, whole files beside them, what they are
told against others. It may run while a registry serves the same data: recipes are only added, and
their segments never change. One module looks at one thing; `state` holds what was found.
"""

from __future__ import annotations

from sqlalchemy import func, select

from modelshelf.registry import tables
from modelshelf.registry.fsck import differences, files, rest, segments
from modelshelf.registry.fsck.state import KINDS, NOTES, Check, Finding, Progress, Report
from modelshelf.registry.service import Kept

__all__ = ["KINDS", "NOTES", "Finding", "Report", "planned_bytes", "run"]


def planned_bytes(kept: Kept) -> int:
    """So much is there to be read."""
    of, size = tables.segments.c, tables.blobs.c.size
    with kept.database.reading() as connection:
        told = connection.execute(select(func.sum(of.size)).where(of.base != "")).scalar() or 0
        total = connection.execute(select(func.sum(size))).scalar() or 0
    return int(total) + int(told) + files.lying_bytes(kept)


def run(kept: Kept, *, repair: bool = False, progress: Progress = lambda _count: None) -> Report:
    """Read everything, and with `repair` mend what can be mended.

    Raises NetworkError, NotAllowed or NotFound where segments lie in a bucket that is out of reach.
    """
    next(iter(kept.blobs.held()), None)
    check = Check(kept, repair=repair, progress=progress)
    with kept.database.reading() as connection:
        digests = [*connection.execute(select(tables.blobs.c.sha256)).scalars()]
    for sha256 in digests:
        segments.look(check, sha256)
    segments.mend_from_others(check)
    for sha256 in digests:
        files.look(check, sha256)
        differences.look(check, sha256)
    rest.write_sizes(check, digests)
    rest.sessions(check)
    rest.unneeded(check)
    return check.report(len(digests))
