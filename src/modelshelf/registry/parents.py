"""Parents of published files: with which files what, so that who has those fetches less."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

import blake3
import msgspec
from sqlalchemy import Connection

from modelshelf.checks.kinship import cast_runs, nearest, shared
from modelshelf.checks.layout import cuts
from modelshelf.errors import IntegrityError, NotFound
from modelshelf.formats.spans import Span
from modelshelf.package import name as names
from modelshelf.package.entry import Entry, answering
from modelshelf.registry import contracts, recipes, releases
from modelshelf.registry.contracts import Key
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import DELTA, SMALL_BYTES, Parent, Recipe, Run
from modelshelf.store.whole import lying, threads

LEAST_SAVED_BYTES = 256
"""What saves less is not worth a blob."""


class Known(NamedTuple):
    """A large file of a release, and its tensors as far as its format tells."""

    path: str
    sha256: str
    recipe: Recipe
    spans: tuple[Span, ...]

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.recipe.size


class Match(NamedTuple):
    """A file that may be a parent, how it helps, and where."""

    file: Known
    kind: str
    runs: tuple[Run, ...]


class Segment(NamedTuple):
    """A segment of a file: how its values are laid out, and the bytes it takes by itself."""

    id: str
    start: int
    size: int
    width: int
    floating: bool
    stored: int


def find(kept: Kept, key: Key) -> None:
    """Find the parents of the files of a release, and keep what they save; may be done twice."""
    with kept.database.reading() as connection:
        own, before, bases = ([*_known(connection, each)] for each in _around(connection, key))
    for file in own:
        found = [*_deltas(file, before), *_deltas(file, bases), *_casts(file, own + before + bases)]
        _keep(kept, file, [*{(each.file.sha256, each.kind): each for each in found}.values()])


def _keep(kept: Kept, file: Known, matches: list[Match]) -> None:
    """Tell what the parents of a file save, and keep the differences.

    One that was here already, needed by nobody, may be swept away until it is named.
    """
    is_there = False
    while not is_there:
        told = [_told(kept, file, match) for match in matches]
        with kept.database.writing() as connection:
            recipes.add_parents(connection, file.sha256, told)
        keys = [f"{identifier}-{base}" for _, rows in told for identifier, base, _, _ in rows]
        is_there = None not in lying(keys, kept.blobs).values()


def related(connection: Connection, key: Key) -> list[Key]:
    """The releases whose files may be parents of those of a release."""
    _, before, bases = _around(connection, key)
    return [(*names.parse(entry.name), entry.version) for entry in (*before, *bases)]


def _around(connection: Connection, key: Key) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """A release, the one before it, and those that it is based on."""
    entries = releases.entries(connection, *key[:2])
    own = next(entry for entry in entries if entry.version == key[2])
    version = contracts.before([each for each in entries if each.number < own.number], key[2])
    before = [each for each in entries if each.version == version]
    bases = [
        found
        for name, wanted in own.dependencies.items()
        if wanted.kind == "base"
        and wanted.registry is None
        and (found := answering(releases.entries(connection, *names.parse(name)), wanted))
    ]
    return [own], before, bases


def _known(connection: Connection, entries: list[Entry]) -> Iterator[Known]:
    for file in chain.from_iterable(entry.files for entry in entries):
        if file.size < SMALL_BYTES:
            continue
        recipe, spans = (
            recipes.find(connection, file.sha256),
            recipes.layout(connection, file.sha256),
        )
        if recipe is not None:
            yield Known(file.path, file.sha256, recipe, spans)


def _deltas(file: Known, others: list[Known]) -> Iterator[Match]:
    """The files that this one may be told against."""
    if any(other.sha256 == file.sha256 for other in others):
        return  # who has that release has the file
    for other, runs in nearest(file, others):
        yield Match(other, DELTA, runs)


def _casts(file: Known, others: list[Known]) -> Iterator[Match]:
    """The file that has most of this one in wider values."""
    found = [
        Match(other, kind, runs)
        for other in others
        for kind, runs in cast_runs(file.spans, other.spans).items()
    ]
    if found:
        yield max(found, key=lambda each: (shared(each.runs), each.file.path == file.path))


def _told(kept: Kept, file: Known, match: Match) -> tuple[Parent, list[recipes.Segment]]:
    """What the parent saves for each segment, and what is stored for that."""
    parent = Parent(match.file.sha256, match.kind, match.runs, (None,) * len(file.recipe.sizes))
    there = match.file.recipe.distinct()
    own, theirs = kept.raw.checked(file.sha256), kept.raw.checked(match.file.sha256)

    def told(segment: Segment) -> recipes.Segment | int | None:
        place = parent.base(segment.start, segment.size)
        if place is None or (match.kind == DELTA and segment.id in there):
            return None
        try:
            content, base = own.read(segment.start, segment.size), theirs.read(*place)
        except (NotFound, IntegrityError):  # lost, which fsck tells
            return None
        if match.kind == DELTA:
            return _delta(kept, segment, content, base)
        with kept.codecs.one() as codec:
            return 0 if codec.cast(base, match.kind) == content else None

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(told, laid(file.recipe, file.spans)))
    stored = tuple(each[3] if isinstance(each, tuple) else each for each in found)
    rows = [each for each in found if isinstance(each, tuple)]
    return msgspec.structs.replace(parent, stored=stored), rows


def _delta(kept: Kept, segment: Segment, content: bytes, base: bytes) -> recipes.Segment | None:
    """Keep what the segment is against its base, where that saves enough."""
    with kept.codecs.one() as codec:
        blob = codec.delta(
            content, base, segment.width, floating=segment.floating, below=segment.stored
        )
        if blob is None or segment.stored - len(blob) < LEAST_SAVED_BYTES:
            return None
        if codec.decode(blob, segment.size, base) != content:
            return None
    named = blake3.blake3(base).hexdigest()
    kept.blobs.put(f"{segment.id}-{named}", blob)
    stored = kept.blobs.size(f"{segment.id}-{named}")  # of another who put it first
    return segment.id, named, segment.size, len(blob) if stored is None else stored


def laid(recipe: Recipe, spans: Iterable[Span]) -> Iterator[Segment]:
    """The segments of a file with the layout of the tensor that each is part of."""
    tensors = cuts(spans)
    starts = [cut.start for cut in tensors]
    for (identifier, start, size), stored in zip(recipe.segments(), recipe.stored, strict=True):
        number = bisect_right(starts, start) - 1
        inside = number >= 0 and start < tensors[number].stop
        width, floating = (
            (tensors[number].width, tensors[number].floating) if inside else (0, False)
        )
        yield Segment(identifier, start, size, width, floating, stored)
