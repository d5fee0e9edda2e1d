"""Files that are missing or damaged are replaced: from another healthy place, else fetched again.

A damaged file of a shelf is the damaged file of the store, under a second name. Nothing is ever
written into it: it goes, and another takes its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from modelshelf.client import transfer, verify
from modelshelf.client.care import Root, needed
from modelshelf.client.http import Connection
from modelshelf.client.shelf import Shelf
from modelshelf.errors import IntegrityError, LockStale, NetworkError, ShelfError
from modelshelf.package.lock import Lock, Locked
from modelshelf.package.path import ENTRY
from modelshelf.store.disk import DiskStore


class Mended(NamedTuple):
    """One file, and where its healthy bytes came from; `trouble` is why there are none."""

    where: str
    release: str
    source: str
    trouble: ShelfError | None = None


class Healer:
    """Brings healthy files into a store; each digest is looked at once."""

    def __init__(
        self,
        store: DiskStore,
        roots: Iterable[Root],
        http: Callable[[str], Connection],
        progress: transfer.Progress,
    ) -> None:
        """`roots` are those whose shelves may have a healthy copy; `http` connects to a registry."""
        self.store = store
        self._alone = DiskStore(store.root)
        self._roots = tuple(roots)
        self._http = http
        self._progress = progress
        self._known: dict[str, str] = {}
        self._unreachable: dict[str, NetworkError] = {}
        self._copies: dict[str, list[Path]] | None = None

    def heal(self, sha256: str, size: int | None, release: Locked) -> str:
        """Have a healthy file of this digest in the store; gives where it came from.

        `size` is None for the manifest of the release. Raises what fetching raises.
        """
        if sha256 not in self._known:
            self._known[sha256] = self._healed(sha256, size, release)
        return self._known[sha256]

    def _healed(self, sha256: str, size: int | None, release: Locked) -> str:
        own = self.store.own(sha256)
        if verify.is_whole(own, sha256):
            return "the store"
        self.store.delete(sha256)
        if verify.is_whole(self.store.path(sha256), sha256):
            return "a shared store"
        for copy in self._places(sha256):
            with contextlib.suppress(IntegrityError, OSError):
                self._alone.add(copy, sha256)
                return str(copy)
        if release.registry in self._unreachable:
            raise self._unreachable[release.registry]
        try:
            self._fetch(sha256, size, release)
        except NetworkError as error:  # once is enough: each attempt takes its time
            self._unreachable[release.registry] = error
            raise
        return release.registry

    def _fetch(self, sha256: str, size: int | None, release: Locked) -> None:
        connect = partial(self._http, release.registry)
        if size is None:
            return fetch_document(connect(), self._alone, sha256)
        name = f"{release.name}@{release.version}"
        wanted = [transfer.Wanted(sha256, size)]
        transfer.fetch(connect, self._alone, wanted, release=name, progress=self._progress)
        return None

    def _places(self, sha256: str) -> list[Path]:
        """Where the shelves should have files of this digest."""
        if self._copies is None:
            self._copies = {}
            for root in self._roots:
                if root.shelf is None:
                    continue
                shelf = Shelf(root.shelf)
                for release in root.releases():
                    for file in release.installed_files():
                        place = shelf.release(release) / file.path
                        self._copies.setdefault(file.sha256, []).append(place)
        return self._copies.get(sha256, [])


def fetch_document(http: Connection, store: DiskStore, sha256: str) -> None:
    """Bring the manifest of a release into the store."""
    if store.has(sha256):
        return
    store.put(http.get(f"/files/{sha256}").body, sha256)


def may_stand(shelf: Shelf, held: Lock, store: DiskStore) -> Callable[[Path], bool]:
    """Which symbolic links may be on a shelf that is repaired, for `Shelf.writing`.

    Also those in the place of a file that `held` names: they are replaced and never followed, so
    that a shelf recovers when the shared store is elsewhere now.
    """
    places = {
        shelf.release(release) / file.path
        for release in held.packages
        for file in release.installed_files()
    }
    return lambda link: link in places or store.lends(link)


def repair_shelf(shelf: Shelf, held: Lock, healer: Healer) -> list[Mended]:
    """Make the files of a shelf what `held` says; what cannot be is told, the rest is done.

    The caller holds `shelf.writing(may_stand(...))`.
    """
    mended: list[Mended] = []
    for release in held.packages:
        folder = shelf.release(release)
        mended += _try(healer, release.manifest, None, release, lambda: None)
        for file in release.installed_files():
            target = folder / file.path
            if _is_fine(healer.store, target, file.sha256):
                continue
            relink = partial(healer.store.link, file.sha256, target)
            mended += _try(healer, file.sha256, file.size, release, relink, target)
        mended += _describe(shelf, healer.store, release)
    return mended


def repair_store(healer: Healer, roots: Iterable[Root]) -> list[Mended]:
    """Throw away what is damaged in the store; bring back what is needed of it.

    What is missing is brought for pins only: of a shelf's locks, not all need be on this machine.
    """
    known: dict[str, tuple[int | None, Locked]] = {}
    lacking: dict[str, None] = {}
    for root in roots:
        for release in root.releases():
            known.setdefault(release.manifest, (None, release))
            for file in release.installed_files():
                known.setdefault(file.sha256, (file.size, release))
            if root.shelf is None:
                lacking |= dict.fromkeys(each for each in needed(release))
    lacking = {digest: None for digest in lacking if not healer.store.has(digest)}
    mended = []
    for digest in [*healer.store.digests(), *lacking]:
        if verify.is_whole(healer.store.path(digest), digest):
            continue
        if digest in known:
            mended += _try(healer, digest, *known[digest], lambda: None)
        else:
            healer.store.delete(digest)
            mended.append(Mended(str(healer.store.own(digest)), "", "thrown away"))
    return mended


def _try(
    healer: Healer,
    sha256: str,
    size: int | None,
    release: Locked,
    then: Callable[[], None],
    where: Path | None = None,
) -> list[Mended]:
    name = f"{release.name}@{release.version}"
    place = str(where or healer.store.own(sha256))
    try:
        source = healer.heal(sha256, size, release)
        then()
    except ShelfError as error:
        return [Mended(place, name, "", error)]
    return [Mended(place, name, source)] if where or source != "the store" else []


def _is_fine(store: DiskStore, target: Path, sha256: str) -> bool:
    """Whether the file of the shelf is what it should be, as a file or as a link that may be."""
    return (not target.is_symlink() or store.lends(target)) and verify.is_whole(target, sha256)


def _describe(shelf: Shelf, store: DiskStore, release: Locked) -> list[Mended]:
    """Write the description of a release anew where it is not what its manifest says."""
    name, place = f"{release.name}@{release.version}", str(shelf.release(release) / ENTRY)
    try:
        meant = verify.promised(store, release)
    except LockStale as error:
        return [Mended(place, name, "", error)]
    if meant is None or not verify.differs(verify.description(shelf, release), meant):
        return []
    shelf.write_entry(release, msgspec.json.encode(meant).decode())
    return [Mended(place, name, "its manifest")]
