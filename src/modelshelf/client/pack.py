"""Packing: what only former generations need is kept by segments, bfloat16 in two thirds of the space.

A packed file has no place among the store's files: to `install` it is one that is not here, and of
which nothing need be fetched. Its segments are blobs of the store, its recipe is kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from modelshelf.client.care import Roots, needed, stale_seconds
from modelshelf.client.shelf import Shelf
from modelshelf.errors import IntegrityError, ShelfError
from modelshelf.store import recipes
from modelshelf.store.blobs import FOLDER, DiskBlobs
from modelshelf.store.codec import Codec
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import SMALL_BYTES, Recipe, dumps, loads
from modelshelf.store.whole import Codecs, Few, keep_segments, take_apart


class Packed(NamedTuple):
    """What packing did: so many files of `raw` bytes take `stored` bytes now."""

    files: int
    raw: int
    stored: int


def blobs_of(store: DiskStore) -> DiskBlobs:
    """The blobs of packed files."""
    return DiskBlobs(store.root / FOLDER)


def inactive(store: DiskStore, found: Roots) -> dict[str, int]:
    """Files that are needed, but by no lock in force and no pin: bytes by sha256.

    The caller holds `store.quiet()`. Those that lie on the disk under another name free nothing.
    """
    active = {
        digest
        for root in found.roots
        for lock in (Shelf(root.shelf).locks_in_force() if root.shelf else root.locks)
        for release in lock.packages
        for digest in needed(release)
    }
    idle = {}
    for digest in found.alive() - active:
        if (path := store.own(digest)).is_file():
            stat = path.stat()
            if stat.st_size >= SMALL_BYTES and stat.st_nlink == 1:
                idle[digest] = stat.st_size
    return dict(sorted(idle.items()))


def pack(store: DiskStore, files: Iterable[str], progress: Callable[[int], None]) -> Packed:
    """Keep each of the files by its segments, then take it away; `progress` is told raw bytes.

    The caller holds `store.quiet()`. Killed at any moment, a file is there whole, or packed, or
    both. A file that does not gain, or whose bytes are not what its recipe says, stays.
    """
    blobs, codecs = blobs_of(store), Few(Codec)
    packed: list[tuple[int, int]] = []
    for digest in files:
        path = store.own(digest)
        size = path.stat().st_size
        recipe = _segments(store, digest, path, blobs, codecs)
        progress(size)
        if recipe is not None and sum(recipe.stored) < size:
            store.delete(digest)
            packed.append((size, sum(recipe.stored)))
    return Packed(len(packed), sum(raw for raw, _ in packed), sum(stored for _, stored in packed))


def packed(store: DiskStore, found: Roots) -> dict[str, Recipe]:
    """The files that someone of `found` needs and that are not here whole, with their recipes."""
    return {
        digest: recipe
        for digest, size in found.sizes().items()
        if not store.own(digest).is_file() and (recipe := _known(store, digest, size))
    }


def garbage(store: DiskStore, found: Roots) -> dict[str, int]:
    """The blobs that no packed file needs: bytes by key."""
    wanted = set[str]().union(*(recipe.distinct() for recipe in packed(store, found).values()))
    return {each.key: each.size for each in blobs_of(store).held() if each.key not in wanted}


def sweep(store: DiskStore, found: Roots) -> int:
    """Forget blobs that no packed file needs, and old recipes of files that nobody does → bytes.

    The caller holds `store.quiet()`.
    """
    gone = garbage(store, found)
    for key in gone:
        blobs_of(store).delete(key)
    blobs_of(store).sweep(older_than_seconds=stale_seconds)
    alive = found.sizes()
    recipes.sweep(
        store.root, lambda each: each in alive or store.has(each), older_than_seconds=stale_seconds
    )
    return sum(gone.values())


def _segments(
    store: DiskStore, digest: str, path: Path, blobs: DiskBlobs, codecs: Codecs
) -> Recipe | None:
    """Keep the segments of a file, cut as it came; None where it is damaged."""
    known = _known(store, digest, path.stat().st_size)
    if known is None:
        recipe = take_apart(path, (), blobs, codecs)
        recipes.keep(store.root, digest, dumps(recipe))
        return recipe
    try:
        return keep_segments(path, known, blobs, codecs)
    except IntegrityError:
        return None


def _known(store: DiskStore, digest: str, size: int) -> Recipe | None:
    body = recipes.kept(store.root, digest)
    try:
        return loads(body, size) if body else None
    except ShelfError:
        return None
