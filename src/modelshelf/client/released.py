"""A release as a shelf holds it: its description, kept beside its files."""

from __future__ import annotations

import msgspec

from modelshelf.client.shelf import Shelf
from modelshelf.errors import LockStale
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Locked
from modelshelf.package.path import ENTRY


def release_of(shelf: Shelf, package: Locked) -> Entry:
    """The description of a release on the shelf. Raises LockStale where it is not all there."""
    folder = shelf.release(package)
    try:
        entry = msgspec.json.decode((folder / ENTRY).read_bytes(), type=Entry)
    except (OSError, msgspec.MsgspecError):
        entry = None
    if entry is None or entry.manifest != package.manifest:
        raise LockStale(
            f"the files of {package.name} are not all there",
            where=str(folder),
            hint="run: shelf sync",
        )
    return entry
