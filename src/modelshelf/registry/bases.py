"""Bases: which bytes of a parent each difference is told against, by their id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import blake3
from sqlalchemy import Connection

from modelshelf.errors import IntegrityError, NotFound
from modelshelf.registry import recipes
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import DELTA, Parent, Recipe

_REMEMBERED = 8


class Told(NamedTuple):
    """A segment that is told against a base: which segment of a file, of which parent."""

    id: str
    start: int
    size: int
    parent: Parent
    place: tuple[int, int]
    """First byte of the base in the parent, and how many."""
    stored: int


def told(recipe: Recipe) -> Iterator[Told]:
    """Every difference that leads to a segment of the file, parent after parent."""
    for parent in recipe.parents:
        if parent.kind == DELTA:
            for (each, start, size), stored in zip(recipe.segments(), parent.stored, strict=True):
                place = None if stored is None else parent.base(start, size)
                if stored is not None and place is not None:
                    yield Told(each, start, size, parent, place, stored)


class Bases:
    """The ids of bases. Mostly a base is a segment of the parent; else its bytes are read, once."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._laid: OrderedDict[str, dict[tuple[int, int], str]] = OrderedDict()
        self._read: dict[tuple[str, tuple[int, int]], str] = {}

    def known(self, connection: Connection, told: Told) -> str | None:
        """The id of the base as far as it is known without reading a byte of the parent."""
        file = told.parent.file
        if file not in self._laid:
            recipe = recipes.find(connection, file)
            segments = recipe.segments() if recipe else ()
            self._laid[file] = {(start, size): each for each, start, size in segments}
            if len(self._laid) > _REMEMBERED:
                self._laid.popitem(last=False)
        laid = self._laid.get(file, {})
        return laid.get(told.place) or self._read.get((file, told.place))

    def find(self, connection: Connection, told: Told) -> str | None:
        """The id of the base; None where its bytes cannot be had."""
        found = self.known(connection, told)
        if found is None:
            try:
                base = self._kept.raw.decoding(told.parent.file).whole(*told.place)
            except (NotFound, IntegrityError):
                return None
            found = self._read[told.parent.file, told.place] = blake3.blake3(base).hexdigest()
        return found
