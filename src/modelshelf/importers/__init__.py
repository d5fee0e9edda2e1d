"""Foreign hubs → records: one module a catalogue.

    catalogue = read("tfhub:snapshots/2024")
    catalogue.releases[0].record.package.task

To add a hub: add one module here with a constant `IMPORTER` (an `Importer`: its name, what stands
behind the colon, `read`), or offer one from another distribution under the entry-point group
`modelshelf.importers`. Pages are foreign text: a reader raises for no page; what it cannot use it
accounts for as `skipped`, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from modelshelf import plugins
from modelshelf.errors import UsageError
from modelshelf.package.catalogue import Catalogue
from modelshelf.package.vocabularies import nearest

__all__ = ["Importer", "importers", "read"]

Progress = Callable[[int, int], None]
"""Told how many pages were read so far, and of how many."""


def silent(_done: int, _of: int) -> None:
    """The progress that nobody looks at."""


class Importer(NamedTuple):
    """One kind of catalogue.

    `read` gets what stands behind the colon (a folder, an address). It raises NotFound where there
    is no such catalogue, NetworkError where it cannot be reached.
    """

    name: str
    place: str
    """What stands behind the colon, for help: `DIR`, `URL`."""
    summary: str
    read: Callable[[str, Progress], Catalogue]


def importers() -> dict[str, Importer]:
    """Every importer, by name."""
    found = plugins.offered(__name__, "IMPORTER")
    return {each.name: each for each in found if isinstance(each, Importer)}


def read(specification: str, progress: Progress = silent) -> Catalogue:
    """The catalogue that `specification` (`tfhub:DIR`) names; nothing is written anywhere.

    Raises UsageError for a specification that is none, and what the importer's `read` raises.
    """
    name, colon, place = specification.partition(":")
    known = importers()
    if not (colon and place and name in known):
        kinds = ", ".join(f"{each.name}:{each.place}" for each in known.values())
        raise UsageError(
            f"`{specification[:80]}` names no catalogue",
            expected=kinds,
            hint=nearest(name, list(known)),
        )
    return known[name].read(place, progress)
