"""Ways to the bytes of each segment: from what lies on this machine, else over the wire.

The order is fixed: a raw file that has it, the cast of a parent, a packed blob, then a delta
against a parent where that is shorter than the segment alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from modelshelf.store.codec import CASTS
from modelshelf.store.local import Place
from modelshelf.store.recipe import DELTA, Parent, Recipe

Find = Callable[[str], Path | None]
"""Where the whole file with this sha256 lies, None where it is not here."""
Packed = Callable[[str], Path | None]
"""Where the blob with this key lies on this machine."""


class Base(NamedTuple):
    """Bytes of a parent that a segment is made from, and what is still to fetch for that."""

    place: Place
    kind: str
    stored: int


class Need(NamedTuple):
    """A segment to bring, for every place in the file where it stands (`numbers`)."""

    identifier: str
    size: int
    stored: int
    numbers: tuple[int, ...]
    places: tuple[Place, ...] = ()
    cast: Base | None = None
    packed: Path | None = None
    delta: Base | None = None

    @property
    def near(self) -> bool:
        """Whether it can be made of what lies on this machine."""
        return bool(self.places or self.cast or self.packed)

    @property
    def wire_bytes(self) -> int:
        """What is to be fetched for it."""
        if self.near:
            return 0
        return self.delta.stored if self.delta else self.stored

    @property
    def raw_bytes(self) -> int:
        """What it fills of the file."""
        return self.size * len(self.numbers)


def needs(
    recipe: Recipe,
    missing: Iterable[int],
    places: Mapping[str, Iterable[Place]],
    find: Find,
    packed: Packed,
) -> list[Need]:
    """Each segment of those `missing` once, in the order in which they stand first."""
    segments = list(recipe.segments())
    numbers: dict[str, list[int]] = {}
    for number in missing:
        numbers.setdefault(segments[number][0], []).append(number)
    helpers = [_Helper(each, path) for each in recipe.parents if (path := find(each.file))]
    return [
        _need(recipe, segments, identifier, standing, places, helpers, packed)
        for identifier, standing in numbers.items()
    ]


def identifiers(recipe: Recipe, missing: Iterable[int]) -> list[str]:
    """The segments `missing`, each once."""
    segments = list(recipe.segments())
    return list(dict.fromkeys(segments[number][0] for number in missing))


def _need(
    recipe: Recipe,
    segments: list[tuple[str, int, int]],
    identifier: str,
    standing: list[int],
    places: Mapping[str, Iterable[Place]],
    helpers: Iterable[_Helper],
    packed: Packed,
) -> Need:
    size, stored = segments[standing[0]][2], min(recipe.stored[number] for number in standing)
    bases = [
        base
        for helper in helpers
        for number in standing
        if (base := helper.base(number, segments[number][1], size))
    ]
    same = [each.place for each in bases if each.kind == DELTA and not each.stored]
    deltas = [each for each in bases if each.kind == DELTA and 0 < each.stored < stored]
    return Need(
        identifier,
        size,
        stored,
        tuple(standing),
        (*(each for each in places.get(identifier, ()) if each.size == size), *same),
        next((each for each in bases if each.kind != DELTA), None),
        packed(identifier),
        min(deltas, key=lambda each: each.stored, default=None),
    )


class _Helper(NamedTuple):
    """A parent that is here."""

    parent: Parent
    path: Path

    def base(self, number: int, start: int, size: int) -> Base | None:
        """What the parent has for the segment of `size` bytes from `start` on."""
        kind, stored = self.parent.kind, self.parent.stored[number]
        if stored is None or (kind != DELTA and kind not in CASTS):
            return None
        lies = self.parent.base(start, size)
        if lies is None or (kind == DELTA and not stored and lies[1] < size):
            return None
        return Base(Place(self.path, *lies), kind, stored)
