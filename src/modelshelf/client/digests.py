"""Digests of a folder that is about to be published: each file is read once, when first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import blake3

from modelshelf.errors import IntegrityError
from modelshelf.store.digest import READ_BYTES, Hashes, hash_file
from modelshelf.store.recipe import Cut, Piece, pieces


class Segmented(NamedTuple):
    """A file in segments: where they lie, and their ids one after another."""

    pieces: tuple[Piece, ...]
    ids: bytes


class Digests(Mapping[str, str]):
    """The sha256 of files below `folder`, by their paths."""

    def __init__(self, folder: Path, paths: Iterable[str]) -> None:
        self._folder = folder
        self._paths = tuple(dict.fromkeys(paths))
        self._known: dict[str, Hashes] = {}

    def __getitem__(self, path: str) -> str:
        return self.hashes(path).sha256

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def hashes(self, path: str) -> Hashes:
        """All digests of a file."""
        if path not in self._known:
            self._known[path] = hash_file(self._folder / path)
        return self._known[path]

    def segmented(self, path: str, cuts: Iterable[Cut]) -> Segmented:
        """The segments of a file; raises IntegrityError if it changes meanwhile."""
        place = self._folder / path
        found = tuple(pieces(place.stat().st_size, cuts))
        ids = _Ids(found)
        if path in self._known:
            _read(place, ids)
        else:
            self._known[path] = hash_file(place, ids)
        return Segmented(found, ids.digest(str(place)))


class _Ids:
    """The ids of segments, from the bytes of their file as they come."""

    def __init__(self, found: Iterable[Piece]) -> None:
        self._sizes = iter([piece.size for piece in found])
        self._left = next(self._sizes, 0)
        self._hash = blake3.blake3()
        self._ids: list[bytes] = []
        self._beyond = False

    def update(self, data: bytes, /) -> None:
        """Take in what comes next."""
        view = memoryview(data)
        while view and self._left:
            part = view[: self._left]
            self._hash.update(part)
            self._left -= len(part)
            view = view[len(part) :]
            if not self._left:
                self._ids.append(self._hash.digest())
                self._hash.reset()
                self._left = next(self._sizes, 0)
        self._beyond = self._beyond or bool(view)

    def digest(self, where: str) -> bytes:
        """The ids of all segments; raises IntegrityError where the file was longer or shorter."""
        if self._left or self._beyond:
            raise IntegrityError("The file changed while it was read", where=where)
        return b"".join(self._ids)


def _read(place: Path, ids: _Ids) -> None:
    with place.open("rb", buffering=0) as file:
        while chunk := file.read(READ_BYTES):
            ids.update(chunk)
