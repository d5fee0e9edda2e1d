"""Sending files to a registry: small ones whole, of large ones the segments that it lacks.

A segment is told by itself, or against the same tensor of an earlier release that lies here, where
that takes fewer bytes. Segments are read and encoded when a thread is free, so that memory does not
grow with the files.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Executor, ThreadPoolExecutor, wait
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
from modelshelf.store.places import Room
from modelshelf.store.recipe import ID_BYTES, SMALL_BYTES, Piece, Recipe, dumps
from modelshelf.store.whole import Few

encoding_threads = 2
"""Each takes some 25 MiB, and more bytes a second than most lines."""
_M_ARENA_MAX = -8
"""From glibc's <malloc.h>."""
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
    base_of = bases.of(source)
    for number, piece in enumerate(source.segmented.pieces):
        identifier = source.segmented.ids[number * ID_BYTES : (number + 1) * ID_BYTES].hex()
        if begun := lacking.pop(identifier, None):
            yield Due(source.place, piece, begun, base_of(piece))


def _send_all(queue: _Queue, outbox: Outbox, progress: Progress) -> None:
    _share_heap()
    with ThreadPoolExecutor(encoding_threads) as coding, ThreadPoolExecutor(threads) as pool:
        encoders = _Encoders(coding, encoding_threads)
        senders = [_Sender(outbox, encoders, progress) for _ in range(threads)]
        tasks = [pool.submit(sender.run, queue) for sender in senders]
        try:
            wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            if not all(task.done() and task.exception() is None for task in tasks):
                outbox.stop.set()
    failures = [error for task in tasks if (error := task.exception())]
    for error in sorted(failures, key=lambda each: isinstance(each, Stopped)):
        raise error


def _share_heap() -> None:
    """Have threads use one heap where that is glibc's: in its own, each keeps MiB that nobody uses."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


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
    """One thread's work: have segments encoded, and send them."""

    def __init__(self, outbox: Outbox, encoders: _Encoders, progress: Progress) -> None:
        self._outbox = outbox
        self._encoders = encoders
        self._progress = progress
        self._bundle: list[Blob] = []

    def run(self, queue: _Queue) -> None:
        """Send what is due until nothing is left."""
        for due in queue:
            blob = self._encoders.shortest(due)
            if len(blob.content) < SMALL_BYTES and not due.begun.of(blob.key):
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
        if len(bundle) < 2:
            for each in bundle:
                self._send(each)
            return
        try:
            self._outbox.bundle([(each.key, each.content) for each in bundle])
        except (NotFound, IntegrityError):  # one of them: the others may have come
            for each in bundle:
                self._send(each)
        else:
            self._progress(sum(each.due.piece.size for each in bundle))

    def _send(self, blob: Blob) -> None:
        due = blob.due
        try:
            self._outbox.blob(blob.key, blob.content, due.begun.of(blob.key))
        except NotFound:
            if blob.key == due.id:
                raise
            # nobody may read the base any longer
            alone = self._encoders.alone(due)
            self._outbox.blob(alone.key, alone.content, due.begun.of(alone.key))
        self._progress(due.piece.size)


class _Encoders:
    """Threads that encode for all who send: so many and no more, which bounds memory."""

    def __init__(self, pool: Executor, count: int) -> None:
        self._pool = pool
        turn = threading.Lock()
        self._encoders = Few(lambda: _Encoder(turn), count)

    def shortest(self, due: Due) -> Blob:
        """The segment in the fewest bytes: against its base, or by itself."""
        return self._have(lambda encoder: encoder.shortest(due))

    def alone(self, due: Due) -> Blob:
        """The segment by itself."""
        return self._have(lambda encoder: encoder.alone(due, encoder.read(due)))

    def _have(self, work: Callable[[_Encoder], Blob]) -> Blob:
        def done() -> Blob:
            with self._encoders.one() as encoder:
                return work(encoder)

        return self._pool.submit(done).result()


class _Encoder:
    """Reads and encodes segments; what takes most memory is done in `turn`."""

    def __init__(self, turn: threading.Lock) -> None:
        self._turn = turn
        self._codec = Codec()
        self._raw, self._base = Room(), Room()

    def shortest(self, due: Due) -> Blob:
        raw = self.read(due)
        told = self._against(due, raw)
        if told is not None and len(told.content) < SURELY * len(raw):
            return told
        alone = self.alone(due, raw)
        worth = told is not None and len(told.content) < WORTH_A_BASE * len(alone.content)
        return told if told is not None and worth else alone

    def alone(self, due: Due, raw: memoryview) -> Blob:
        solo = self._codec.solo(raw, due.piece.width, floating=due.piece.floating)
        return Blob(due, due.id, solo)

    def read(self, due: Due) -> memoryview:
        """The bytes of the segment; raises IntegrityError where they are others by now."""
        raw = self._raw.load(due.place, due.piece.start, due.piece.size)
        if raw is None or blake3.blake3(raw).hexdigest() != due.id:
            raise changed(due.place)
        return raw

    def _against(self, due: Due, raw: memoryview) -> Blob | None:
        """The segment against its base, where there is one and that is what it should be."""
        if due.base is None:
            return None
        base = self._base.load(due.base.place, due.base.start, due.base.size)
        if base is None or blake3.blake3(base).hexdigest() != due.base.id:
            return None
        width, floating = due.piece.width, due.piece.floating
        # what is no tensor is told after its base by tables that are as large as both
        with contextlib.nullcontext() if width else self._turn:
            blob = self._codec.delta(raw, base, width, floating=floating, below=len(raw))
        return None if blob is None else Blob(due, f"{due.id}-{due.base.id}", blob)
