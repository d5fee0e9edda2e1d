"""Several files at once: which come whole, which by their segments, which wait for others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple

from modelshelf.client import recipes, segments, whole
from modelshelf.client.bench import Bench, Benches
from modelshelf.client.hosts import Hosts
from modelshelf.client.http import Connection
from modelshelf.client.lane import Tools
from modelshelf.client.pace import Pace
from modelshelf.client.receive import Wire
from modelshelf.client.transfer import Moved, Progress, Wanted, another_process_seconds, threads
from modelshelf.errors import Conflict
from modelshelf.store.disk import DiskStore
from modelshelf.store.parts import pulse
from modelshelf.store.recipe import ID_BYTES, SEGMENT_BYTES, SMALL_BYTES, Recipe

_APART_BYTES = 4 * SEGMENT_BYTES
"""A file of not more than this is the work of one thread."""


class Cut(NamedTuple):
    """A file that comes by its segments."""

    file: Wanted
    recipe: Recipe


class Fetching:
    """One fetch of several files, and what it has moved so far."""

    def __init__(
        self,
        http: Connection,
        store: DiskStore,
        headers: Mapping[str, str],
        progress: Progress,
        received: Progress,
    ) -> None:
        self._http = http
        self._store = store
        self._headers = headers
        self._progress = progress
        self._received = received
        self._turn = Lock()
        self._moved = Moved()
        self._stop = Event()
        wire = Wire(self._stop, Pace(), self._count)
        self._tools = Tools(Hosts(http, headers), Benches(Bench), wire, progress)

    def bring(self, files: Iterable[Wanted]) -> Moved:
        """Bring them all; what one is made of comes before it."""
        with ThreadPoolExecutor(threads) as pool:
            cuts, wholes = self._sorted(files, pool)
            apart, others = _apart(cuts)
            works = [partial(self._whole, file) for file in wholes]
            works += [partial(self._cut, cut, None) for cut in apart]
            segments.together(pool, works, self._stop)
            for cut in _parents_first(others):
                self._cut(cut, pool)
        return self._moved

    def _sorted(self, files: Iterable[Wanted], pool: Executor) -> tuple[list[Cut], list[Wanted]]:
        """Those that come by segments, and those that come whole."""
        files = list(files)
        found = list(pool.map(self._recipe, files))
        known = list(zip(files, found, strict=True))
        cuts = [Cut(file, recipe) for file, recipe in known if recipe]
        return cuts, [file for file, recipe in known if not recipe]

    def _recipe(self, file: Wanted) -> Recipe | None:
        if file.size < SMALL_BYTES:
            return None
        received = self._tools.wire.received
        return recipes.current(
            self._http, self._store, file.sha256, file.size, self._headers, received, file.before
        )

    def _whole(self, file: Wanted) -> None:
        wire = self._tools.wire

        def attempt(progress: Progress) -> int:
            return whole.fetch(self._http, self._store, file, self._headers, wire, progress)

        self._unless_elsewhere(file, attempt)

    def _cut(self, cut: Cut, pool: Executor | None) -> None:
        def attempt(progress: Progress) -> int:
            tools = self._tools._replace(progress=progress)
            return segments.fetch(self._store, cut.file.sha256, cut.recipe, tools, pool)

        self._unless_elsewhere(cut.file, attempt)

    def _unless_elsewhere(self, file: Wanted, attempt: Callable[[Progress], int]) -> None:
        """Fetch one file; where another process is at it, wait for as long as that one gets on."""
        seen, since = None, time.monotonic()
        while not self._store.has(file.sha256):
            told: list[int] = []

            def count(more: int, told: list[int] = told) -> None:
                told.append(more)
                self._progress(more)

            try:
                there = attempt(count)
            except (Conflict, FileNotFoundError):  # being written, or was moved a moment ago
                self._progress(-sum(told))
                now = self._signs(file.sha256)
                if now != seen:
                    seen, since = now, time.monotonic()
                elif time.monotonic() - since > another_process_seconds:
                    raise
            else:
                return self._note(files=1, raw=file.size - there)
            time.sleep(0.1)
        self._store.discard(self._partial(file.sha256))
        self._progress(file.size)
        return None

    def _signs(self, sha256: str) -> object:
        """Of life: they change while another process gets on."""
        with contextlib.suppress(FileNotFoundError):
            return self._partial(sha256).stat().st_size
        return pulse(self._store, sha256)

    def _partial(self, sha256: str) -> Path:
        return self._store.root / "partial" / sha256

    def _count(self, wire: int) -> None:
        self._received(wire)
        self._note(wire=wire)

    def _note(self, files: int = 0, raw: int = 0, wire: int = 0) -> None:
        with self._turn:
            self._moved = Moved.together((self._moved, Moved(files, raw, wire)))


def _apart(cuts: Iterable[Cut]) -> tuple[list[Cut], list[Cut]]:
    """The small ones that need nothing of each other or of the rest, and the rest."""
    cuts = list(cuts)
    coming = {cut.file.sha256 for cut in cuts}
    apart: list[Cut] = []
    others: list[Cut] = []
    seen: set[bytes] = set()
    for cut in cuts:
        ids = _ids(cut.recipe)
        free = seen.isdisjoint(ids) and coming.isdisjoint(each.file for each in cut.recipe.parents)
        if cut.file.size <= _APART_BYTES and free:
            apart.append(cut)
            seen |= ids
        else:
            others.append(cut)
    return apart, others


def _ids(recipe: Recipe) -> set[bytes]:
    ids = recipe.ids
    return {ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)}


def _parents_first(cuts: Iterable[Cut]) -> list[Cut]:
    """In their order, but after those that help to make them; a circle of parents is one of liars."""
    left = {cut.file.sha256: cut for cut in cuts}
    ordered: list[Cut] = []
    while left:
        waiting = [left.pop(next(iter(left)))]
        while waiting:
            parents = waiting[-1].recipe.parents
            before = [left.pop(each.file) for each in parents if each.file in left]
            if before:
                waiting += before
            else:
                ordered.append(waiting.pop())
    return ordered
