"""Differences and casts: whether the parents of a file make of it what they are said to, and where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import blake3
import msgspec

from modelshelf.errors import IntegrityError, NotFound
from modelshelf.registry import recipes
from modelshelf.registry.fsck.mending import is_it
from modelshelf.registry.fsck.state import Check
from modelshelf.registry.raw import SegmentReader
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import DELTA, Parent, Recipe

Segment = tuple[str, int, int]
"""Id, first byte in its file, size."""


class Wrong(NamedTuple):
    """What a parent is said to do for one segment, and does not."""

    file: str
    kind: str
    number: int
    """Which segment of the file."""
    key: str | None
    """Of the difference, as far as it is known."""
    size: int
    stored: int | None
    """In how many bytes it lies there; None where it is lost or wrong."""


def look(check: Check, sha256: str) -> None:
    """Read what the parents of a file make of it; what is wrong can be done without."""
    recipe = check.recipe(sha256)
    if recipe is None or sha256 in check.unfit:
        return
    found = []
    for each in _wrong(check, recipe):
        found.append(each)
        what = each.key or f"{each.kind} {each.file}"
        check.tell("difference", sha256, what, mended=check.repair)
    if found and check.repair:
        correct(check.kept, sha256, found)
        check.untold.add(sha256)


def _wrong(check: Check, recipe: Recipe) -> Iterator[Wrong]:
    """What the parents of a file do not do as they are said to; all bytes are read.

    Whether what is told against bytes that are lost is right cannot be known.
    """
    kept = check.kept
    for parent in recipe.parents:
        bases = None if parent.file in check.unfit else _bases(kept, parent)
        for number, (segment, stored) in enumerate(
            zip(recipe.segments(), parent.stored, strict=True)
        ):
            if stored is not None:
                check.advance(segment[2] if parent.kind == DELTA else 0)
                base = _base(bases, parent, segment)
                lying = stored if base is None else _lying(kept, parent, segment, base)
                if lying != stored or not _is_told(kept, parent, segment, base, stored):
                    key = _key(parent, segment, base) if base else None
                    yield Wrong(parent.file, parent.kind, number, key, segment[2], lying)


def correct(kept: Kept, sha256: str, found: list[Wrong]) -> None:
    """Forget differences that are wrong, and tell the sizes of others as they are.

    They are deleted in the transaction that forgets them: who finds parents meanwhile names them
    after it, and puts them again.
    """
    keys = {each.key: each for each in found if each.key}
    with kept.database.writing() as connection:
        recipe = recipes.find(connection, sha256)
        if recipe is None:
            return
        parents = tuple(_corrected(each, found) for each in recipe.parents)
        used = tuple(each for each in parents if any(size is not None for size in each.stored))
        recipes.change(connection, sha256, msgspec.structs.replace(recipe, parents=used))
        recipes.forget_segments(connection, keys)
        there = {key: each for key, each in keys.items() if each.stored is not None}
        recipes.add_segments(
            connection,
            ((key[:64], key[65:], each.size, each.stored or 0) for key, each in there.items()),
        )
        for key in keys.keys() - there.keys():
            kept.blobs.delete(key)


def _bases(kept: Kept, parent: Parent) -> SegmentReader | None:
    try:
        return kept.raw.decoding(parent.file)
    except (NotFound, IntegrityError):
        return None


def _base(bases: SegmentReader | None, parent: Parent, segment: Segment) -> bytes | None:
    """The bytes that a segment is told against: none where that cannot be, None where they are lost."""
    place = parent.base(*segment[1:])
    if bases is None:
        return None
    if place is None or sum(place) > bases.size:
        return b""
    try:
        return bases.whole(*place)
    except (NotFound, IntegrityError):
        return None


def _lying(kept: Kept, parent: Parent, segment: Segment, base: bytes) -> int | None:
    """In how many bytes what the parent does lies there; None where it is not the segment."""
    identifier, _, size = segment
    key = _key(parent, segment, base)
    try:
        with kept.codecs.one() as codec:
            if key is None:
                return 0 if is_it(identifier, codec.cast(base, parent.kind)) else None
            blob = kept.blobs.get(key)
            return len(blob) if is_it(identifier, codec.decode(blob, size, base)) else None
    except (NotFound, IntegrityError):
        return None


def _is_told(kept: Kept, parent: Parent, segment: Segment, base: bytes | None, stored: int) -> bool:
    """Whether the database lets it be read, with its size."""
    key = _key(parent, segment, base) if base else None
    if key is None:
        return True
    with kept.database.reading() as connection:
        return recipes.readable(connection, [key]).get(key) == stored


def _key(parent: Parent, segment: Segment, base: bytes) -> str | None:
    return f"{segment[0]}-{blake3.blake3(base).hexdigest()}" if parent.kind == DELTA else None


def _corrected(parent: Parent, found: list[Wrong]) -> Parent:
    stored = [*parent.stored]
    for each in found:
        if (each.file, each.kind) == (parent.file, parent.kind):
            stored[each.number] = each.stored
    return msgspec.structs.replace(parent, stored=tuple(stored))
