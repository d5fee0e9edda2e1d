"""Parents of published files: with which files what, so that who has those fetches less."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

import blake3
import msgspec
from sqlalchemy import Connection

from modelshelf.checks.kinship import cast_runs, delta_runs, shared
from modelshelf.checks.layout import cuts
from modelshelf.formats.spans import Span
from modelshelf.package import name as names
from modelshelf.package.entry import Entry, answering
from modelshelf.registry import contracts, recipes, releases
from modelshelf.registry.contracts import Key
from modelshelf.registry.service import Kept
from modelshelf.store.recipe import DELTA, SMALL_BYTES, Parent, Recipe, Run
from modelshelf.store.whole import read, threads


class Known(NamedTuple):
    """A large file of a release whose tensors have names."""

    path: str
    sha256: str
    recipe: Recipe
    spans: tuple[Span, ...]


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
        own, before, bases = _around(connection, key)
    for file in own:
        found = [*_best(file, before, casts=True), *_best(file, bases, casts=False)]
        found += _best(file, [each for each in own if each is not file], deltas=False)
        told = [_told(kept, file, match) for match in _each_once(found)]
        with kept.database.writing() as connection:
            recipes.add_parents(connection, file.sha256, told)


def _around(connection: Connection, key: Key) -> tuple[list[Known], list[Known], list[Known]]:
    """The large files of a release, of the one before it, and of those that it is based on."""
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
    return (
        [*_known(connection, [own])],
        [*_known(connection, before)],
        [*_known(connection, bases)],
    )


def _known(connection: Connection, entries: list[Entry]) -> Iterator[Known]:
    for file in chain.from_iterable(entry.files for entry in entries):
        if file.size < SMALL_BYTES:
            continue
        recipe, spans = (
            recipes.find(connection, file.sha256),
            recipes.layout(connection, file.sha256),
        )
        if recipe is not None and spans:
            yield Known(file.path, file.sha256, recipe, spans)


def _best(
    file: Known, others: list[Known], *, deltas: bool = True, casts: bool = True
) -> Iterator[Match]:
    """The one file that shares most with this one by name, and the one it may be cast from."""
    found: list[Match] = []
    if any(other.sha256 == file.sha256 for other in others):
        return  # who has that release has the file
    for other in others:
        if deltas:
            found.append(Match(other, DELTA, delta_runs(file.spans, other.spans)))
        if casts:
            made = cast_runs(file.spans, other.spans)
            found += [Match(other, kind, runs) for kind, runs in made.items()]
    for wanted in (True, False):
        among = [each for each in found if each.runs and (each.kind == DELTA) is wanted]
        if among:
            yield max(among, key=lambda each: (shared(each.runs), each.file.path == file.path))


def _each_once(found: list[Match]) -> list[Match]:
    return [*{(each.file.sha256, each.kind): each for each in found}.values()]


def _told(kept: Kept, file: Known, match: Match) -> tuple[Parent, list[recipes.Segment]]:
    """What the parent saves for each segment, and what is stored for that."""
    parent = Parent(match.file.sha256, match.kind, match.runs, (None,) * len(file.recipe.sizes))
    there = match.file.recipe.distinct()
    raw, other = kept.raw.path(file.sha256), kept.raw.path(match.file.sha256)
    with raw.open("rb", buffering=0) as own, other.open("rb", buffering=0) as theirs:

        def told(segment: Segment) -> recipes.Segment | int | None:
            place = parent.base(segment.start, segment.size)
            if place is None or (match.kind == DELTA and segment.id in there):
                return None
            content = read(own.fileno(), segment.start, segment.size)
            base = read(theirs.fileno(), *place)
            if match.kind == DELTA:
                return _delta(kept, segment, content, base)
            with kept.codecs.one() as codec:
                return 0 if codec.cast(base, match.kind) == content else None

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(told, _segments(file)))
    stored = tuple(each[3] if isinstance(each, tuple) else each for each in found)
    rows = [each for each in found if isinstance(each, tuple)]
    return msgspec.structs.replace(parent, stored=stored), rows


def _delta(kept: Kept, segment: Segment, content: bytes, base: bytes) -> recipes.Segment | None:
    """Keep what the segment is against its base, where that saves enough."""
    with kept.codecs.one() as codec:
        blob = codec.delta(
            content, base, segment.width, floating=segment.floating, below=segment.stored
        )
        if blob is None or codec.decode(blob, segment.size, base) != content:
            return None
    named = blake3.blake3(base).hexdigest()
    kept.blobs.put(f"{segment.id}-{named}", blob)
    return segment.id, named, segment.size, len(blob)


def _segments(file: Known) -> Iterator[Segment]:
    """The segments of a file with the layout of the tensor that each is part of."""
    laid = cuts(file.spans)
    starts = [cut.start for cut in laid]
    for (identifier, start, size), stored in zip(
        file.recipe.segments(), file.recipe.stored, strict=True
    ):
        number = bisect_right(starts, start) - 1
        inside = number >= 0 and start < laid[number].stop
        width, floating = (laid[number].width, laid[number].floating) if inside else (0, False)
        yield Segment(identifier, start, size, width, floating, stored)
