"""Sending files to a registry: small ones whole, of large ones the segments that it lacks.

A segment is told by itself, or against the same tensor of an earlier release that lies here, where
that takes fewer bytes. Segments are read and encoded when a thread is free, so that memory does not
grow with the files.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

import blake3

from modelshelf.client.bases import Base, Bases
from modelshelf.client.digests import Segmented
from modelshelf.client.outbox import Begun, Outbox, changed
from modelshelf.client.receive import Stopped
from modelshelf.client.transfer import Progress, threads
from modelshelf.errors import IntegrityError, NotFound
from modelshelf.formats.spans import Span
from modelshelf.store.codec import WORTH_A_BASE, Codec
from modelshelf.store.places import read_at
from modelshelf.store.recipe import ID_BYTES, SMALL_BYTES, Piece, Recipe, dumps

bundle_bytes = 1 << 20
bundle_count = 256
SURELY = 0.5
"""A blob of less than so much of its segment is short enough: nobody tries without a base."""


class Source(NamedTuple):
    """A file to be sent: its path in the release, and where it lies.

    `begun` is how many bytes of it the registry has, as a whole file. Only large ones are
    `segmented`.
    """

    path: str
    place: Path
    sha256: str
    size: int
    begun: int = 0
    segmented: Segmented | None = None
    spans: tuple[Span, ...] = ()


class Due(NamedTuple):
    """A segment to be sent, how much of it is there, and what it may be told against."""

    place: Path
    piece: Piece
    begun: Begun
    base: Base | None

    @property
    def id(self) -> str:
        """What its blob is called that needs no base."""
        return self.begun.id


class Blob(NamedTuple):
    """A segment as it is sent, under its key."""

    due: Due
    key: str
    content: bytes


def send(sources: Iterable[Source], outbox: Outbox, bases: Bases, progress: Progress) -> None:
    """Send what the registry lacks of files; it then has all that they are made of.

    Raises IntegrityError where a file changes meanwhile, NetworkError where the registry stays
    away. What has come is not sent again, whoever asks next.
    """
    due: dict[str, Due] = {}
    for source in sources:
        lacking = _lacking(source, outbox)
        if lacking is None:
            outbox.file(source.sha256, source.place, source.size, source.begun, progress)
            continue
        new = {each.id: each for each in _due(source, lacking, bases) if each.id not in due}
        progress(source.size - sum(each.piece.size for each in new.values()))
        due |= new
    _send_all(_Queue(due.values()), outbox, progress)


def _lacking(source: Source, outbox: Outbox) -> dict[str, Begun] | None:
    """The segments of a file that the registry lacks; None where it is to go whole."""
    if source.segmented is None or source.begun:
        return None
    sizes = tuple(piece.size for piece in source.segmented.pieces)
    recipe = Recipe(source.size, source.segmented.ids, sizes, sizes)
    found = outbox.recipe(source.sha256, dumps(recipe))
    return None if found is None else {each.id: each for each in found}


def _due(source: Source, lacking: dict[str, Begun], bases: Bases) -> Iterator[Due]:
    if source.segmented is None or not lacking:
        return
    base_of = bases.of(source.path, source.spans)
    for number, piece in enumerate(source.segmented.pieces):
        identifier = source.segmented.ids[number * ID_BYTES : (number + 1) * ID_BYTES].hex()
        if begun := lacking.pop(identifier, None):
            yield Due(source.place, piece, begun, base_of(piece))


def _send_all(queue: _Queue, outbox: Outbox, progress: Progress) -> None:
    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(_Sender(outbox, progress).run, queue) for _ in range(threads)]
        try:
            wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            if not all(task.done() and task.exception() is None for task in tasks):
                outbox.stop.set()
    failures = [error for task in tasks if (error := task.exception())]
    for error in sorted(failures, key=lambda each: isinstance(each, Stopped)):
        raise error


class _Queue:
    """What is still to be sent, each to whoever asks next."""

    def __init__(self, due: Iterable[Due]) -> None:
        self._left = iter(due)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Due]:
        return self

    def __next__(self) -> Due:
        with self._lock:
            return next(self._left)


class _Sender:
    """One thread's work: read, encode, send."""

    def __init__(self, outbox: Outbox, progress: Progress) -> None:
        self._outbox = outbox
        self._progress = progress
        self._codec = Codec()
        self._raw, self._base = _Room(), _Room()
        self._bundle: list[Blob] = []

    def run(self, queue: _Queue) -> None:
        """Send what is due until nothing is left."""
        for due in queue:
            blob = self._encoded(due)
            if len(blob.content) < SMALL_BYTES:
                self._add(blob)
            else:
                self._send(blob)
        self._flush()

    def _add(self, blob: Blob) -> None:
        held = sum(len(each.content) + len(each.key) + 6 for each in self._bundle)
        if held + len(blob.content) > bundle_bytes or len(self._bundle) == bundle_count:
            self._flush()
        self._bundle.append(blob)

    def _flush(self) -> None:
        bundle, self._bundle = self._bundle, []
        if len(bundle) > 1:
            try:
                self._outbox.bundle([(each.key, each.content) for each in bundle])
            except (NotFound, IntegrityError):  # one of them: the others may have come
                for each in bundle:
                    self._send(each)
            else:
                self._progress(sum(each.due.piece.size for each in bundle))
        else:
            for each in bundle:
                self._send(each)

    def _send(self, blob: Blob) -> None:
        due = blob.due
        try:
            self._outbox.blob(blob.key, blob.content, due.begun.of(blob.key))
        except NotFound:  # nobody may read the base any longer
            if blob.key == due.id:
                raise
            solo = self._solo(due, self._read(due))
            self._outbox.blob(due.id, solo, due.begun.of(due.id))
        self._progress(due.piece.size)

    def _encoded(self, due: Due) -> Blob:
        raw = self._read(due)
        told = self._delta(due, raw)
        if told is not None and len(told.content) < SURELY * len(raw):
            return told
        solo = self._solo(due, raw)
        if told is not None and len(told.content) < WORTH_A_BASE * len(solo):
            return told
        return Blob(due, due.id, solo)

    def _solo(self, due: Due, raw: memoryview) -> bytes:
        return self._codec.solo(raw, due.piece.width, floating=due.piece.floating)

    def _delta(self, due: Due, raw: memoryview) -> Blob | None:
        if due.base is None:
            return None
        base = self._base.load(due.base.place, due.base.start, due.base.size)
        if base is None or blake3.blake3(base).hexdigest() != due.base.id:
            return None
        width, floating = due.piece.width, due.piece.floating
        blob = self._codec.delta(raw, base, width, floating=floating, below=len(raw))
        return None if blob is None else Blob(due, f"{due.id}-{due.base.id}", blob)

    def _read(self, due: Due) -> memoryview:
        raw = self._raw.load(due.place, due.piece.start, due.piece.size)
        if raw is None or blake3.blake3(raw).hexdigest() != due.id:
            raise changed(due.place)
        return raw


class _Room:
    """Memory for a segment, used again and again."""

    def __init__(self) -> None:
        self._room = bytearray()

    def load(self, place: Path, start: int, size: int) -> memoryview | None:
        """Bytes of a file, good until the next call; None where it has none there."""
        if len(self._room) < size:
            self._room = bytearray(size)
        view = memoryview(self._room)[:size]
        with contextlib.suppress(OSError), place.open("rb", buffering=0) as file:
            if read_at(file.fileno(), start, view) == size:
                return view
        return None
