"""Which names the publishers and packages of a catalogue get here.

A name stays that of its package for ever, whatever the next snapshot calls it: its handles tell. New
ones are the catalogue's own, or those with the hub's name behind them where they are reserved or too
much like another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, select

from modelshelf.package import name as names
from modelshelf.registry import tables

ACCOUNT = "@import"
"""Who publishes what is imported: no account that people make has such a name, or no password."""
MOST_TRIES = 9
_BATCH = 300

Image = tuple[str, str]
"""A space of names, and what a name looks like there."""


class Given(NamedTuple):
    """The name that something gets; `reason` is why it is not the one of the catalogue.

    Without a name it cannot come here, for the `reason`. `new` where nothing was called so before.
    """

    name: str | None
    reason: str | None = None
    new: bool = False


class Ledger:
    """Names that were ever given out, and those that are about to be."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._owners: dict[Image, str | None] = {}

    def look(self, images: Iterable[Image]) -> None:
        """Ask for many at once, so that each need not be asked for alone."""
        by_space: dict[str, list[str]] = {}
        for space, image in images:
            self._owners.setdefault((space, image), None)
            by_space.setdefault(space, []).append(image)
        columns = tables.names.c
        for space, wanted in by_space.items():
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                query = select(tables.names).where(columns.space == space, columns.image.in_(batch))
                for row in self._connection.execute(query):
                    self._owners[space, row.image] = row.owner

    def owner(self, image: Image) -> str | None:
        """Who has a name that looks so."""
        if image not in self._owners:
            self.look([image])
        return self._owners[image]

    def take(self, images: Iterable[Image], owner: str) -> None:
        """From now on the names are taken."""
        self._owners |= dict.fromkeys(images, owner)


class Publishers:
    """The publishers of a catalogue; `standing` tells of each one here whether imports own it."""

    def __init__(self, hub: str, ledger: Ledger, standing: dict[str, bool]) -> None:
        self._hub = hub
        self._ledger = ledger
        self._standing = standing
        self._given: dict[str, Given] = {}

    def given(self, wanted: str) -> Given:
        """The publisher that stands for the catalogue's `wanted`."""
        if wanted not in self._given:
            self._given[wanted] = self._choose(wanted)
        return self._given[wanted]

    def _choose(self, wanted: str) -> Given:
        if self._standing.get(wanted) is False:
            return Given(None, f"the publisher `{wanted}` belongs to an account here")
        reason = None
        for name in tries(wanted, self._hub):
            wrong = names.part_problem(name, reserved=names.RESERVED)
            if wrong is None and self._standing.get(name):
                return Given(name, reason)
            image = ("publisher", names.folded(name))
            if wrong is None and (owner := self._ledger.owner(image)) is not None:
                wrong = f"`{name}` is too much like the publisher `{owner}`"
            if wrong is None:
                self._ledger.take([image], name)
                self._standing[name] = True
                return Given(name, reason, new=True)
            reason = reason or wrong
        return Given(None, reason)


def images(full: str) -> list[Image]:
    """What the ledger holds of the name of a package."""
    return [("package", names.folded(full)), *names.images(full).items()]


def package(wanted: str, publisher: Given, hub: str, ledger: Ledger, there: Iterable[str]) -> Given:
    """The name of a new package that the catalogue calls `wanted`; `there` are the ones here."""
    if publisher.name is None:
        return publisher
    taken, reason = set(there), publisher.reason
    for name in tries(wanted.partition("/")[2], hub):
        full = f"{publisher.name}/{name}"
        wrong = names.problem(full)
        if wrong is None and full in taken:
            wrong = f"`{full}` is another package here"
        if wrong is None:
            wrong = _likeness(full, ledger)
        if wrong is None:
            ledger.take(images(full), full)
            return Given(full, reason, new=True)
        reason = reason or wrong
    return Given(None, reason)


def _likeness(full: str, ledger: Ledger) -> str | None:
    for image in images(full):
        if (owner := ledger.owner(image)) is not None:
            return f"`{full}` is too much like the package `{owner}`"
    return None


def tries(name: str, hub: str) -> Iterator[str]:
    """`digits`, `digits-tfhub`, `digits-tfhub-2` …, each no longer than a name may be."""
    yield name
    for number in range(1, MOST_TRIES + 1):
        suffix = f"-{hub}" if number == 1 else f"-{hub}-{number}"
        yield name[: names.longest_part_characters - len(suffix)].rstrip("-") + suffix
