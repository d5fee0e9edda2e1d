"""Mending: a segment that is lost or damaged is made anew from whatever still holds its bytes.

That may be a whole file beside the segments, or a difference whose base is there, or a wider copy to
cast from; of this file or of another one with the same segment. Whatever is found counts only if it
has the segment's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import blake3

from modelshelf.errors import IntegrityError, NotFound
from modelshelf.registry import parents, recipes
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import DELTA, Parent, Recipe
from modelshelf.store.whole import read


class Place(NamedTuple):
    """Where a segment is part of a file."""

    sha256: str
    start: int
    size: int


def recovered(kept: Kept, identifier: str, at: Iterable[Place]) -> tuple[Place, bytes] | None:
    """The bytes of a segment, and the place that they were got from; None where nothing holds them."""
    at = list(at)
    for place in at:
        if (content := lying_whole(kept, place)) is not None and is_it(identifier, content):
            return place, content
    for place in at:
        for content in _made(kept, identifier, place):
            if is_it(identifier, content):
                return place, content
    return None


def lying_whole(kept: Kept, place: Place) -> bytes | None:
    """These bytes of a file that lies whole beside the segments; nothing checked them."""
    try:
        with kept.store.path(place.sha256).open("rb", buffering=0) as file:
            return bytes(read(file.fileno(), place.start, place.size))
    except (FileNotFoundError, IntegrityError):
        return None


def put_anew(kept: Kept, identifier: str, place: Place, content: bytes) -> int:
    """Keep a segment's bytes instead of a blob that is lost or damaged → bytes of the new blob."""
    with kept.database.reading() as connection:
        recipe = recipes.find(connection, place.sha256)
        spans = recipes.layout(connection, place.sha256)
    assert recipe is not None
    segment = next(each for each in parents.laid(recipe, spans) if each.id == identifier)
    with kept.codecs.one() as codec:
        blob = codec.solo(content, segment.width, floating=segment.floating)
    kept.blobs.delete(identifier)
    kept.blobs.put(identifier, blob)
    return len(blob)


def is_it(identifier: str, content: bytes | memoryview) -> bool:
    """Whether these are the bytes of the segment."""
    return blake3.blake3(content).hexdigest() == identifier


def _made(kept: Kept, identifier: str, place: Place) -> Iterator[bytes]:
    """What the segment's parents make of it."""
    with kept.database.reading() as connection:
        recipe = recipes.find(connection, place.sha256)
    for parent in recipe.parents if recipe else ():
        where = parent.base(place.start, place.size)
        if where is not None and _helps(recipe, parent, place):
            for base in _bases(kept, Place(parent.file, *where)):
                content = _decoded(kept, identifier, place, parent.kind, base)
                if content is not None:
                    yield content


def _helps(recipe: Recipe | None, parent: Parent, place: Place) -> bool:
    starts = [start for _, start, _ in recipe.segments()] if recipe else []
    return parent.stored[starts.index(place.start)] is not None


def _bases(kept: Kept, place: Place) -> Iterator[bytes]:
    if (content := lying_whole(kept, place)) is not None:
        yield content
    try:
        yield kept.raw.decoding(place.sha256).whole(place.start, place.size)
    except (NotFound, IntegrityError):
        return


def _decoded(kept: Kept, identifier: str, place: Place, kind: str, base: bytes) -> bytes | None:
    try:
        with kept.codecs.one() as codec:
            if kind != DELTA:
                return bytes(codec.cast(base, kind))
            blob = kept.blobs.get(f"{identifier}-{blake3.blake3(base).hexdigest()}")
            return bytes(codec.decode(blob, place.size, base))
    except (NotFound, IntegrityError):
        return None
