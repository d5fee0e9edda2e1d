"""Upkeep: what a running registry does for its bytes from time to time."""

from __future__ import annotations

from modelshelf.registry import garbage, jobs, log
from modelshelf.registry.service import Kept

RESTORE = "restore"
TRIM_SECONDS = 3600.0
COLLECT_SECONDS = 86_400.0
FIRST_SECONDS = 3600.0
"""A registry that is started again and again does not look for garbage each time."""


def attach(worker: jobs.Jobs, kept: Kept) -> None:
    """Have `worker` bound the raw files, build those that are popular, and take away garbage."""
    worker.handle(RESTORE, lambda payload: restore(kept, payload["sha256"]))
    worker.every(TRIM_SECONDS, "trim", lambda: trim(kept))
    worker.every(COLLECT_SECONDS, "gc", lambda: collect(kept), first_seconds=FIRST_SECONDS)


def ask_for(kept: Kept, sha256: str) -> None:
    """Have a file built whole soon, if it is worth that: it was given up, and is wanted again."""
    if kept.raw.is_asked_for_again(sha256):
        with kept.database.writing() as connection:
            jobs.enqueue_once(connection, RESTORE, {"sha256": sha256})


def restore(kept: Kept, sha256: str) -> None:
    """Build a file whole, and give others up for it."""
    kept.raw.path(sha256)
    trim(kept)


def trim(kept: Kept) -> None:
    """Give up raw files until the rest keeps to its bound."""
    if gone := kept.raw.trim():
        log.event("raw files given up", count=len(gone))


def collect(kept: Kept) -> None:
    """Take away what nobody needs."""
    found = garbage.collect(kept)
    log.event("garbage taken away", blobs=found.blobs, bytes=found.freed_bytes)
