"""What the store holds and for whom: `uses` tells it, `garbage` finds what nobody needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from modelshelf.client import roots
from modelshelf.client.pins import pinned
from modelshelf.client.shelf import Shelf
from modelshelf.errors import ShelfError
from modelshelf.package.lock import Lock, Locked
from modelshelf.store.disk import DiskStore

stale_seconds = 24 * 3600.0
"""A download or a change that nobody went on with for so long is given up."""


class Root(NamedTuple):
    """Someone who needs files: a shelf by its folder, or a pin by its release."""

    name: str
    shelf: Path | None
    locks: tuple[Lock, ...]

    def releases(self) -> Iterator[Locked]:
        """Every release of every lock, some of them twice."""
        return (package for lock in self.locks for package in lock.packages)


class Roots(NamedTuple):
    """Everyone who needs files, and the shelves whose folders are gone."""

    roots: tuple[Root, ...]
    gone: tuple[Path, ...]

    def alive(self) -> frozenset[str]:
        """The sha256 of every file that someone needs."""
        return frozenset(
            digest
            for root in self.roots
            for release in root.releases()
            for digest in needed(release)
        )

    def sizes(self) -> dict[str, int]:
        """The bytes of every file of the releases that someone needs, by sha256."""
        return {
            file.sha256: file.size
            for root in self.roots
            for release in root.releases()
            for file in release.installed_files()
        }


class Garbage(NamedTuple):
    """What nobody needs: files by sha256 with their bytes, partials, shelves that are gone.

    `held_bytes` lie on the disk under another name as well, so that taking them away frees nothing.
    """

    files: dict[str, int]
    held_bytes: int
    partials: dict[Path, int]
    gone: tuple[Path, ...]

    @property
    def freed_bytes(self) -> int:
        """How much space the disk gets back."""
        return sum(self.files.values()) - self.held_bytes + sum(self.partials.values())


class Use(NamedTuple):
    """What one release takes: all its files, and those that no other release has.

    `roots` are those who need it.
    """

    name: str
    version: str
    bytes: int
    unique_bytes: int
    roots: tuple[str, ...]


def needed(release: Locked) -> frozenset[str]:
    """The sha256 of each file that a release asks the store for, its manifest's among them."""
    return frozenset({release.manifest, *(file.sha256 for file in release.installed_files())})


def gather(home: Path, *, generations: int | None = None) -> Roots:
    """Everyone who needs files of the store of `home`; of each shelf the newest `generations`.

    Raises ShelfError where what a shelf needs cannot be known: then nothing may be taken away.
    """
    found, gone = [], []
    for folder in roots.registered(home):
        if _is_gone(folder):
            gone.append(folder)
        else:
            found.append(Root(str(folder), folder, _locks(folder, generations)))
    found += [Root(f"pin {name}", None, (lock,)) for name, lock in pinned(home).items()]
    return Roots(tuple(found), tuple(gone))


def garbage(store: DiskStore, found: Roots) -> Garbage:
    """What nobody of `found` needs. The caller holds `store.quiet()`."""
    alive = found.alive()
    files, held = {}, 0
    for digest in store.digests():
        if digest not in alive:
            stat = store.own(digest).stat()
            files[digest] = stat.st_size
            held += stat.st_size if stat.st_nlink > 1 else 0
    stale = store.stale(older_than_seconds=stale_seconds)
    return Garbage(files, held, _sizes(stale), found.gone)


def collect(home: Path, store: DiskStore, found: Garbage) -> None:
    """Take it away. The caller holds `store.quiet()` since before it asked for `garbage`.

    Killed in the middle, some of it is still there, and nothing else has changed.
    """
    for digest in found.files:
        store.delete(digest)
    store.sweep(older_than_seconds=stale_seconds)
    for folder in found.gone:
        roots.forget(home, folder)


def forget_begun(home: Path, lent: Callable[[Path], bool]) -> None:
    """Give up the changes of shelves that were begun and killed long ago.

    Not for who holds `store.quiet()`: an install asks for that while it is alone on its shelf.
    """
    for shelf in _shelves(home):
        if _is_old(shelf.coming):
            with shelf.writing(lent):
                if _is_old(shelf.coming):
                    shelf.coming.unlink()


def forget_generations(home: Path, kept: int, lent: Callable[[Path], bool]) -> int:
    """Forget all but the newest `kept` generations of every shelf; gives how many went.

    As `forget_begun`, not for who holds `store.quiet()`.
    """
    count = 0
    for shelf in _shelves(home):
        if not shelf.generations.folder.is_dir():
            continue
        with shelf.writing(lent):
            count += shelf.generations.prune(kept)
    return count


def uses(store: DiskStore, found: Roots) -> list[Use]:
    """What each release takes of the store, the largest first."""
    sizes = {digest: store.own(digest).stat().st_size for digest in store.digests()}
    files: dict[tuple[str, str], frozenset[str]] = {}
    asking: dict[tuple[str, str], dict[str, None]] = {}
    for root in found.roots:
        for release in root.releases():
            key = (release.name, release.version)
            files[key] = files.get(key, frozenset()) | (needed(release) & sizes.keys())
            asking.setdefault(key, {})[root.name] = None
    times: dict[str, int] = {}
    for digest in (each for digests in files.values() for each in digests):
        times[digest] = times.get(digest, 0) + 1
    told = [
        Use(
            *key,
            sum(sizes[each] for each in digests),
            sum(sizes[each] for each in digests if times[each] == 1),
            tuple(asking[key]),
        )
        for key, digests in files.items()
    ]
    return sorted(told, key=lambda use: (-use.bytes, use.name, use.version))


def _shelves(home: Path) -> Iterator[Shelf]:
    return (Shelf(folder) for folder in roots.registered(home) if not _is_gone(folder))


def _is_gone(folder: Path) -> bool:
    try:
        folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise _unknown(folder, error) from None
    return False


def _locks(folder: Path, generations: int | None) -> tuple[Lock, ...]:
    """The locks of a shelf, read twice.

    A change that is made meanwhile moves one from `next.lock` to `shelf.lock`: whoever looks once
    could see it in neither. A second change must wait until the store is not looked after.
    """
    shelf = Shelf(folder)
    try:
        return (*shelf.root_locks(generations), *shelf.root_locks(generations))
    except (ShelfError, OSError) as error:
        raise _unknown(folder, error) from None


def _unknown(folder: Path, error: ShelfError | OSError) -> ShelfError:
    where = error.where if isinstance(error, ShelfError) else error.filename
    return ShelfError(
        f"what a shelf needs cannot be read: {error}",
        where=str(folder / (where or "")),
        hint="mend that file, or delete it and run there: shelf install",
    )


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - stale_seconds
    except OSError:
        return False


def _sizes(paths: Iterable[Path]) -> dict[Path, int]:
    return {path: path.stat().st_size for path in paths}
