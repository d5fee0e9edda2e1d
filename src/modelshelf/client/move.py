"""The user's store at another place: moved, and remembered in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from modelshelf.client.settings import Settings, keep_store, settings
from modelshelf.store import move
from modelshelf.store.disk import DiskStore
from modelshelf.store.move import Progress


class Moved(NamedTuple):
    """Where the store was, where it is, and its bytes."""

    before: Path
    after: Path
    bytes: int


@contextmanager
def quiet() -> Iterator[tuple[Settings, DiskStore]]:
    """The settings and the store while nobody else looks after it; a killed move is ended first.

    Raises Conflict after two minutes.
    """
    while True:
        chosen = settings()
        store = chosen.files()
        with store.quiet():
            again = settings()
            if again.store == chosen.store:  # else it moved while this one waited
                _end(again, store)
                yield again, store
                return


def move_store(target: Path, progress: Progress) -> Moved:
    """Move the store to the folder `target`.

    Killed at any moment, the settings name a store that is complete, and the same call again ends
    what was begun. Shelves need nothing of it: their files are their own. Raises Conflict where
    `target` is taken, IntegrityError where a file to copy is damaged, ShelfError on a full disk.
    """
    target = target.parent.resolve() / target.name  # itself, not what it may be a link to
    with quiet() as (chosen, store):
        moved = Moved(chosen.store, target, sum(map(store.size, store.digests())))
        if target.resolve() == store.root.resolve() and not target.is_symlink():
            return moved
        move.require_free(store.root, target)
        new = move.begin(store, target, progress)
        with new.quiet():
            keep_store(chosen.home, target, moved.before)
            _end(settings(), new)
    return moved


def _end(chosen: Settings, store: DiskStore) -> None:
    """Take away what a move left of the old store."""
    if chosen.moved_from is not None:
        move.give_up(chosen.moved_from, store)
        keep_store(chosen.home, chosen.store, None)
