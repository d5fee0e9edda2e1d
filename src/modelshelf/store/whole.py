"""Whole files from and into segments: cut, encoded and kept as blobs; read and put together again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

import blake3

from modelshelf.errors import IntegrityError
from modelshelf.store.blobs import Blobs
from modelshelf.store.codec import Codec
from modelshelf.store.places import read_at, write_at
from modelshelf.store.recipe import Cut, Piece, Recipe, pieces

threads = 2
asking = 8
"""So many threads ask an object store at once for what takes no work."""
Thing = TypeVar("Thing")
Item = TypeVar("Item")
Made = TypeVar("Made")


class Few(Generic[Thing]):
    """So many of a thing and no more: who needs one waits for it, which bounds memory and CPU."""

    def __init__(self, make: Callable[[], Thing], count: int = threads) -> None:
        self._free: SimpleQueue[Thing] = SimpleQueue()
        for _ in range(count):
            self._free.put(make())

    @contextmanager
    def one(self) -> Iterator[Thing]:
        """One of one's own for a while; who has one must not ask for another."""
        thing = self._free.get()
        try:
            yield thing
        finally:
            self._free.put(thing)


Codecs = Few[Codec]


def take_apart(path: Path, cuts: Iterable[Cut], blobs: Blobs, codecs: Codecs) -> Recipe:
    """Cut the file at `path` and keep every segment of it that is not kept yet → its recipe."""
    return _kept(path, pieces(path.stat().st_size, cuts), blobs, codecs)


def keep_segments(path: Path, recipe: Recipe, blobs: Blobs, codecs: Codecs) -> Recipe:
    """The same with the segments of a recipe that is known; gives what is stored now.

    Raises IntegrityError where the file is not the one that the recipe describes.
    """
    found = [Piece(start, size, 0, floating=False) for _, start, size in recipe.segments()]
    made = _kept(path, found, blobs, codecs)
    if made.ids != recipe.ids:
        raise IntegrityError("the file is damaged", where=str(path), hint="run: shelf repair")
    return made


def _kept(path: Path, found: list[Piece], blobs: Blobs, codecs: Codecs) -> Recipe:
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()

        def keep(piece: Piece) -> tuple[bytes, int]:
            with codecs.one() as codec:
                raw = read(descriptor, piece.start, piece.size)
                digest = blake3.blake3(raw).digest()
                stored = blobs.size(digest.hex())
                if stored is None:
                    blob = codec.solo(raw, piece.width, floating=piece.floating)
                    blobs.put(digest.hex(), blob)
                    stored = len(blob)
            return digest, stored

        kept = _each(keep, found)
    return Recipe(
        sum(piece.size for piece in found),
        b"".join(digest for digest, _ in kept),
        tuple(piece.size for piece in found),
        tuple(stored for _, stored in kept),
    )


def lying(keys: Iterable[str], blobs: Blobs) -> dict[str, int | None]:
    """In how many bytes each blob lies there by now, None for one that is not there."""
    wanted = [*dict.fromkeys(keys)]
    with ThreadPoolExecutor(asking) as pool:
        return dict(zip(wanted, pool.map(blobs.size, wanted), strict=True))


def is_made_of(path: Path, recipe: Recipe) -> bool:
    """Whether the file at `path` is what `recipe` describes."""
    if path.stat().st_size != recipe.size:
        return False
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()

        def fits(segment: tuple[str, int, int]) -> bool:
            identifier, start, size = segment
            return blake3.blake3(read(descriptor, start, size)).hexdigest() == identifier

        return all(_each(fits, recipe.segments()))


def put_together(recipe: Recipe, blobs: Blobs, target: Path, codecs: Codecs) -> None:
    """Write the file that `recipe` describes to `target`, every segment checked.

    Raises NotFound for a segment that is not kept, IntegrityError for a damaged one.
    """
    with target.open("wb", buffering=0) as file:
        descriptor = file.fileno()
        os.truncate(descriptor, recipe.size)

        def fill(segment: tuple[str, int, int]) -> None:
            identifier, start, size = segment
            with codecs.one() as codec:
                write_at(descriptor, start, decoded(blobs, codec, identifier, size))

        _each(fill, recipe.segments())


def decoded(blobs: Blobs, codec: Codec, identifier: str, size: int) -> memoryview:
    """The raw bytes of a segment, checked; valid until the codec is used again."""
    raw = codec.decode(blobs.get(identifier), size)
    if blake3.blake3(raw).hexdigest() != identifier:
        raise IntegrityError("a stored segment is damaged", where=identifier)
    return raw


def read(descriptor: int, start: int, size: int) -> bytearray:
    """So many bytes of an open file from `start` on; raises IntegrityError where it ends before."""
    content = bytearray(size)
    if read_at(descriptor, start, memoryview(content)) < size:
        raise IntegrityError("the file changed while it was read", expected=size)
    return content


def _each(work: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What `work` makes of each item, in order; the first failure ends it."""
    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(work, item) for item in items]
        try:
            return [task.result() for task in tasks]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
