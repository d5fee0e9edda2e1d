"""Bases: segments of earlier releases that lie on this machine, to tell new ones against.

They are those of the release before, and of what a release depends on as its `base`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from modelshelf import formats
from modelshelf.checks.kinship import Laid, nearest
from modelshelf.checks.layout import layout
from modelshelf.client.compare import around
from modelshelf.client.remote import Registry
from modelshelf.client.settings import Settings
from modelshelf.errors import FormatError, NotFound, ShelfError
from modelshelf.formats import Facts
from modelshelf.formats.spans import Span
from modelshelf.package.entry import Entry, predecessor
from modelshelf.package.record import Record
from modelshelf.store import recipes
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import DELTA, SMALL_BYTES, Parent, Piece, Recipe, Run, loads


class Base(NamedTuple):
    """The bytes of a segment that the registry has: they lie in the file `place`."""

    id: str
    place: Path
    start: int
    size: int


class Known(NamedTuple):
    """A large file of an earlier release that lies here whole, and where its tensors are."""

    path: str
    sha256: str
    place: Path
    size: int
    spans: tuple[Span, ...]


Find = Callable[[Piece], Base | None]
"""What a piece of a file may be told against."""


class Bases:
    """What lies here of the releases that came before `record`; looked for when asked."""

    def __init__(self, registry: Registry, settings: Settings, record: Record) -> None:
        self._registry = registry
        self._settings = settings
        self._record = record
        self._found: list[list[Known]] | None = None

    def of(self, file: Laid) -> Find:
        """The bases of a file: in those files that share most with it by name."""
        finders = [
            self._finder(known, runs)
            for entry in self._known()
            for known, runs in nearest(file, entry)
        ]

        def find(piece: Piece) -> Base | None:
            found = (base for each in finders if (base := each(piece)))
            return next(found, None)

        return find

    def _finder(self, known: Known, runs: tuple[Run, ...]) -> Find:
        parent = Parent(known.sha256, DELTA, runs, ())
        recipe = self._recipe(known)
        segments = recipe.segments() if recipe else ()
        starts = {start: (identifier, size) for identifier, start, size in segments}

        def find(piece: Piece) -> Base | None:
            start, size = parent.base(piece.start, piece.size) or (-1, 0)
            identifier, whole = starts.get(start, ("", 0))
            # only a whole segment has a name that the registry knows
            return Base(identifier, known.place, start, size) if 0 < size == whole else None

        return find

    def _known(self) -> list[list[Known]]:
        """What lies here of each release that came before."""
        if self._found is None:
            self._found = []
            with contextlib.suppress(ShelfError, OSError):  # then nothing has a base
                store = self._settings.files()
                for entry in _earlier(self._registry, self._record):
                    self._found.append([*_lying(entry, store)])
        return self._found

    def _recipe(self, known: Known) -> Recipe | None:
        with contextlib.suppress(ShelfError):  # then it is sent without a base
            body = recipes.kept(self._settings.store, known.sha256)
            if body is None:
                body = self._registry.http.get(f"/recipes/{known.sha256}").body
            return loads(body, known.size)
        return None


def _earlier(registry: Registry, record: Record) -> Iterator[Entry]:
    with contextlib.suppress(NotFound):
        entries = registry.entries(record.package.name)
        if before := predecessor(entries, record.package.version):
            yield before
    find = around(registry).find
    for name, wanted in record.dependencies.items():
        if wanted.kind == "base" and (found := find(name, wanted)):
            yield found


def _lying(entry: Entry, store: DiskStore) -> Iterator[Known]:
    here = {file.path: file for file in entry.files if store.has(file.sha256)}
    large = {path: file for path, file in here.items() if file.size >= SMALL_BYTES}
    if not large:
        return
    places = {path: store.path(file.sha256) for path, file in here.items()}
    with _laid_out(store, places) as folder:
        spans = layout(_facts(entry, folder))
    for path, file in large.items():
        yield Known(path, file.sha256, places[path], file.size, spans.get(path, ()))


def _facts(entry: Entry, folder: Path) -> dict[str, Facts]:
    """What the files of a release say, as far as they are here."""
    wanted: dict[str, str | None] = {}
    for variant in entry.variants:
        for artifact in variant.artifacts:
            wanted[artifact.files[0]] = artifact.format
            for path in artifact.files[1:]:
                wanted.setdefault(path, None)
    found: dict[str, Facts] = {}
    for path, name in wanted.items():
        with contextlib.suppress(FormatError, NotFound):
            found[path] = formats.read(folder / path, name)
    return found


@contextlib.contextmanager
def _laid_out(store: DiskStore, places: Mapping[str, Path]) -> Iterator[Path]:
    """A folder with the files under their paths, for readers that go by names; empty if need be."""
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=store.root))
    try:
        with contextlib.suppress(OSError):
            for path, place in places.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(place, target)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(place: Path, target: Path) -> None:
    try:
        os.link(place, target)
    except OSError:  # another disk
        target.symlink_to(place.absolute())
