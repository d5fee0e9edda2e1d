"""One file by its segments: what is to be brought, by how many threads, and that it is right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed, wait
from functools import partial
from pathlib import Path
from threading import Event, Lock

from modelshelf.client import ways
from modelshelf.client.hosts import Hosts
from modelshelf.client.lane import Lane, Tools
from modelshelf.client.ways import Need
from modelshelf.errors import IntegrityError
from modelshelf.store import recipes
from modelshelf.store.blobs import FOLDER, DiskBlobs
from modelshelf.store.disk import DiskStore
from modelshelf.store.inbox import Inbox
from modelshelf.store.local import SegmentMap
from modelshelf.store.parts import Parts, assembling
from modelshelf.store.recipe import SMALL_BYTES, Recipe

most_lanes = 4
_BUNDLE_KEYS = 256
_BUNDLE_BYTES = 1 << 20


def fetch(
    store: DiskStore, sha256: str, recipe: Recipe, tools: Tools, pool: Executor | None
) -> int:
    """Bring a file into the store: with `pool` by several threads, else by this one.

    Gives how many bytes of it were there. Raises Conflict where another process is at it, IntegrityError for wrong bytes, NetworkError,
    NotFound, ShelfError on a full disk.
    """
    with assembling(store, sha256, recipe) as parts:
        missing = parts.missing()
        there = recipe.size - _bytes(recipe, missing)
        tools.progress(there)
        found = _round(store, parts, sha256, tools, pool)
        if found != sha256 and (damaged := parts.drop_damaged()):
            tools.progress(-_bytes(recipe, damaged))
            found = _round(store, parts, sha256, tools, pool)
        parts.close()
        try:
            store.commit(parts.path, sha256, computed=found or "incomplete")
        except IntegrityError:  # each segment is what the recipe says, so that is wrong
            recipes.forget(store.root, sha256)
            raise
    store.discard(parts.path)
    SegmentMap(store).add(sha256, recipe)
    return there


def needs(
    store: DiskStore, recipe: Recipe, missing: list[int], coming: frozenset[str] = frozenset()
) -> list[Need]:
    """What is to be brought of a file, and how; the files `coming` will be here before it."""

    def find(sha256: str) -> Path | None:
        return store.path(sha256) if sha256 in coming or store.has(sha256) else None

    places = SegmentMap(store).find(ways.identifiers(recipe, missing))
    return ways.needs(recipe, missing, places, find, _packed(store))


def _packed(store: DiskStore) -> ways.Packed:
    blobs = DiskBlobs(store.root / FOLDER)
    if not blobs.root.is_dir():
        return lambda _key: None

    def find(key: str) -> Path | None:
        return path if (path := blobs.path(key)).is_file() else None

    return find


def _bytes(recipe: Recipe, numbers: list[int]) -> int:
    return sum(recipe.sizes[number] for number in numbers)


def _round(
    store: DiskStore, parts: Parts, sha256: str, tools: Tools, pool: Executor | None
) -> str | None:
    """Bring all that is missing; gives the sha256 of the file."""
    jobs = _Jobs(needs(store, parts.recipe, parts.missing()), tools.hosts)
    lanes = most_lanes if pool else 1
    with _inboxes(parts, lanes) as inboxes:
        begun = [(inbox, jobs.claim(inbox.key)) for inbox in inboxes]
        works = [
            partial(_work, parts, sha256, tools, jobs, begun[number::lanes])
            for number in range(lanes)
        ]
        if pool is None:
            works[0]()
            return parts.digest()
        with ThreadPoolExecutor(1) as follower:
            digest = follower.submit(parts.digest)
            try:
                together(pool, works, tools.wire.stop)
            finally:
                parts.end()
            return digest.result()


def together(pool: Executor, works: Iterable[Callable[[], None]], stop: Event) -> None:
    """Do all of it; the first failure, or who interrupts us, stops the rest."""
    running = [pool.submit(each) for each in works]
    try:
        for each in as_completed(running):
            each.result()
    except BaseException:
        stop.set()
        wait(running)
        raise


def _work(
    parts: Parts, sha256: str, tools: Tools, jobs: _Jobs, begun: list[tuple[Inbox, Need | None]]
) -> None:
    """Bring first what an earlier process has begun, then whatever is next."""
    lanes = [Lane(parts, sha256, tools, inbox) for inbox, _ in begun]
    for lane, (_, need) in zip(lanes, begun, strict=True):
        if need:
            lane.bring(need)
    while job := jobs.next():
        if len(job) == 1:
            lanes[0].bring(job[0])
        else:
            lanes[0].bring_together(job)


@contextlib.contextmanager
def _inboxes(parts: Parts, lanes: int) -> Iterator[list[Inbox]]:
    """One for each lane, and those that an earlier process with more of them has left."""
    numbers = [n for n in range(most_lanes) if n < lanes or parts.inbox(n).exists()]
    inboxes = [Inbox(parts.inbox(number)) for number in numbers]
    try:
        yield inboxes
    finally:
        for inbox in inboxes:
            inbox.close()


class _Jobs:
    """What is still to be brought, in the order of the file; small blobs several at a time."""

    def __init__(self, needed: list[Need], hosts: Hosts) -> None:
        self._waiting = {need.identifier: need for need in needed}
        small = [need for need in needed if 0 < need.wire_bytes < SMALL_BYTES]
        self._first = dict[str, list[Need]]()
        """The bundles, by the identifier with which each begins."""
        if len(small) > 1 and hosts.offer.bundles:
            self._first = {each[0].identifier: each for each in _bundles(small)}
        self._turn = Lock()

    def claim(self, key: str) -> Need | None:
        """What an inbox with this key holds a part of, if that is still to be brought."""
        return self._waiting.pop(key[:64], None)

    def next(self) -> list[Need]:
        """What to bring together; nothing when all is in hand."""
        with self._turn:
            if not self._waiting:
                return []
            identifier = next(iter(self._waiting))
            bundle = self._first.get(identifier, [self._waiting[identifier]])
            return [need for each in bundle if (need := self._waiting.pop(each.identifier, None))]


def _bundles(small: list[Need]) -> Iterator[list[Need]]:
    bundle: list[Need] = []
    size = 0
    for need in small:
        if len(bundle) == _BUNDLE_KEYS or size + need.wire_bytes > _BUNDLE_BYTES:
            yield bundle
            bundle, size = [], 0
        bundle.append(need)
        size += need.wire_bytes
    yield bundle
