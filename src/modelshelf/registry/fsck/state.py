"""State of a check: what was read and found so far, and what is still to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection, select

from modelshelf.errors import IntegrityError
from modelshelf.registry import recipes, tables
from modelshelf.registry.fsck.mending import Place
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import Recipe

Progress = Callable[[int], None]
KINDS = {
    "segment": "a segment is lost or damaged",
    "recipe": "a recipe does not lead to its file",
    "size": "the database has another size of a segment than its blob, or none",
    "difference": "what a file is told against another one is lost or wrong",
    "file": "a whole file is lost or damaged",
    "session": "a segment that a session sent is lost, and has to be sent again",
    "lacking": "a file has no recipe yet: the registry makes it when it runs",
    "garbage": "stored segments that nobody needs: shelf registry gc",
}
"""What may be found."""
NOTES = ("lacking", "garbage")
"""Those that are no faults."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be: its kind, the file, the segment (or how much).

    `mended` tells that it is right by now.
    """

    kind: str
    where: str
    what: str
    mended: bool = False


class Report(msgspec.Struct, frozen=True):
    """How much was read, and what was found."""

    files: int
    segments: int
    bytes: int
    findings: tuple[Finding, ...]

    def wrong(self) -> list[Finding]:
        """What is not mended."""
        return [each for each in self.findings if not each.mended and each.kind not in NOTES]


class Check:
    """What one run knows."""

    def __init__(self, kept: Kept, *, repair: bool, progress: Progress) -> None:
        self.kept = kept
        self.repair = repair
        self.lost: dict[str, list[Place]] = {}
        """Segments that nothing was found to hold yet, and where they are part of files."""
        self.sizes: dict[str, tuple[int, int]] = {}
        """Raw bytes and bytes of the blob, where the database has others."""
        self.unfit: set[str] = set()
        """Files whose recipe is wrong."""
        self.untold: set[str] = set()
        """Files that lost what they are told against others, which can be made anew."""
        self._progress = progress
        self._findings: dict[tuple[str, str, str], Finding] = {}
        self._segments = self._bytes = 0

    def advance(self, count: int, *, segments: int = 0) -> None:
        """Bytes were read."""
        self._bytes += count
        self._segments += segments
        self._progress(count)

    def tell(self, kind: str, where: str, what: str, *, mended: bool = False) -> None:
        """Something was found."""
        self._findings[kind, where, what] = Finding(kind, where, what, mended)

    def recipe(self, sha256: str) -> Recipe | None:
        """The recipe of a file; None where there is none that can be read."""
        with self.kept.database.reading() as connection:
            try:
                return recipes.find(connection, sha256)
            except IntegrityError:
                return None

    def lacks(self, recipe: Recipe) -> bool:
        """Whether a segment of the recipe is lost."""
        return not self.lost.keys().isdisjoint(recipe.distinct())

    def report(self, files: int) -> Report:
        """What was found, with the names of files instead of their digests."""
        found = self._findings.values()
        with self.kept.database.reading() as connection:
            names = _names(connection, {each.where for each in found})
        named = (
            msgspec.structs.replace(each, where=names.get(each.where, each.where)) for each in found
        )
        return Report(files, self._segments, self._bytes, tuple(named))


def _names(connection: Connection, digests: Iterable[str]) -> dict[str, str]:
    """A release and path for each file, `NAME@VERSION PATH`."""
    of, release = tables.release_files.c, tables.releases.c
    found: dict[str, str] = {}
    for sha256 in digests:
        paths = select(of.publisher, of.name, of.version, of.path).where(of.sha256 == sha256)
        document = select(release.publisher, release.name, release.version).where(
            release.manifest == sha256
        )
        for query in (paths, document):
            for publisher, name, version, *path in connection.execute(query.limit(1)):
                found.setdefault(sha256, " ".join([f"{publisher}/{name}@{version}", *path]))
    return found
