"""Requests that carry bytes to one publish session, each gone on with after a broken connection."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from modelshelf.client.http import Standstill, retries
from modelshelf.client.receive import Stopped
from modelshelf.client.remote import API, Registry
from modelshelf.client.transfer import Progress
from modelshelf.errors import Conflict, IntegrityError, NetworkError, NotFound
from modelshelf.store.digest import CONTENT, content_digest

block_bytes = 64 << 10
"""A timeout bounds the sending of one block: it has to be short for a slow line."""

part_bytes = 8 << 20
"""No request has more: how far a large file is can be told after each."""

Blocks = Iterator[bytes]
From = Callable[[int], Blocks]
"""The bytes of one request, from an offset on."""
Kind = TypeVar("Kind")
Answer = TypeVar("Answer")


class Begun(msgspec.Struct, frozen=True):
    """A segment that the registry lacks: `offset` bytes of its blob, told against `base`, are there."""

    id: str
    offset: int = 0
    base: str = ""

    def of(self, key: str) -> int:
        """How much is there of the blob `key`."""
        return self.offset if key == (f"{self.id}-{self.base}" if self.base else self.id) else 0


class _Lacking(msgspec.Struct, frozen=True):
    missing: tuple[Begun, ...]


class _Received(msgspec.Struct, frozen=True):
    offset: int
    complete: bool


# made before any thread is: two that make the first decoder of a type at once crash Python
_LACKING = msgspec.json.Decoder(_Lacking)
_RECEIVED = msgspec.json.Decoder(_Received)


class Outbox:
    """Takes bytes to the session `session`; several threads may use it.

    Once `stop` is set, all of them raise Stopped.
    """

    def __init__(self, registry: Registry, session: str) -> None:
        self._http = registry.http
        self._base = f"{API}/sessions/{session}"
        self._lock = threading.Lock()
        self.stop = threading.Event()
        self.sent = 0
        """Bytes of all bodies so far, also of those that were sent twice."""

    def recipe(self, sha256: str, body: bytes) -> tuple[Begun, ...] | None:
        """Tell of which segments a file is made → those to send; None where nobody asks for that."""
        path = f"{self._base}/recipes/{sha256}"
        headers = {CONTENT: content_digest(body)}
        try:
            answer = again(
                lambda: self._put(path, self._blocks(body)(0), len(body), headers=headers)
            )
        except NotFound:
            return None
        return _decoded(_LACKING, answer).missing

    def blob(self, key: str, blob: bytes, offset: int = 0) -> None:
        """Send the encoding of a segment, of which `offset` bytes are there.

        Raises IntegrityError where the registry, twice, decodes it to something else.
        """
        try:
            self._blob(key, blob, _Course(len(blob), offset, self.stop))
        except IntegrityError:  # what was there is of another encoder, or was damaged on the way
            self._blob(key, blob, _Course(len(blob), 0, self.stop))

    def bundle(self, blobs: Sequence[tuple[str, bytes]]) -> None:
        """Send small blobs together, by their keys; what a break leaves unsaid, one by one."""
        body = b"".join(
            struct.pack(">H", len(key)) + key.encode() + struct.pack(">I", len(blob)) + blob
            for key, blob in blobs
        )
        try:
            self._put(f"{self._base}/segments", self._blocks(body)(0), len(body), "POST")
        except NetworkError:
            for key, blob in blobs:
                self._blob(key, blob, _Course(len(blob), 0, self.stop, ask=True))

    def file(self, sha256: str, place: Path, size: int, offset: int, progress: Progress) -> None:
        """Send a whole file of `size` bytes, of which `offset` are there.

        Raises IntegrityError where it became another one meanwhile.
        """

        def blocks(start: int) -> Blocks:
            for at in range(start, min(size, start + part_bytes), block_bytes):
                block = _read(place, at, min(block_bytes, size - at, start + part_bytes - at))
                if block is None:
                    self._http.close()  # what was announced will not come
                    raise changed(place)
                yield self._counted(block)

        self._resumed(f"files/{sha256}?", blocks, _Course(size, offset, self.stop, progress))

    def _blob(self, key: str, blob: bytes, course: _Course) -> None:
        self._resumed(f"segments/{key}?stored={len(blob)}&", self._blocks(blob), course)

    def _resumed(self, path: str, blocks: From, course: _Course) -> None:
        """PUT what is left; only standstill counts as failure.

        After a break nothing is sent until it is known where to go on: the registry may still be
        writing what came before.
        """
        while True:
            start, count = course.offset, course.next_bytes
            where = f"{self._base}/{path}offset={start}"
            try:
                answer = self._put(where, blocks(start) if count else iter(()), count)
                received = _decoded(_RECEIVED, answer)
            except (NetworkError, Conflict) as error:
                course.broke(error)
            else:
                course.went_on(received.offset)
                if received.complete:
                    return

    def _put(
        self,
        path: str,
        blocks: Blocks,
        size: int,
        method: str = "PUT",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        return self._http.upload(path, blocks, size, headers, method=method).body

    def _blocks(self, content: bytes) -> From:
        def blocks(start: int) -> Blocks:
            for at in range(start, len(content), block_bytes):
                yield self._counted(content[at : at + block_bytes])

        return blocks

    def _counted(self, block: bytes) -> bytes:
        if self.stop.is_set():
            self._http.close()
            raise Stopped
        with self._lock:
            self.sent += len(block)
        return block


class _Course:
    """How far `size` bytes have come, and how often nothing came.

    With `ask` the registry is first asked where to go on.
    """

    def __init__(
        self,
        size: int,
        offset: int,
        stop: threading.Event,
        progress: Progress = lambda _count: None,
        *,
        ask: bool = False,
    ) -> None:
        self.offset = min(offset, size)
        self._stop = stop
        self._size = size
        self._progress = progress
        self._ask = ask
        self._failures = 0

    @property
    def next_bytes(self) -> int:
        """How many bytes to send now; none where the registry is to say how much is there."""
        return 0 if self._ask else min(self._size - self.offset, part_bytes)

    def went_on(self, offset: int) -> None:
        """The registry has so much; raises NetworkError where that is never more."""
        if not self._ask and offset <= self.offset < self._size:
            self._failed(NetworkError("the registry takes no bytes"))
        self._ask = False
        self._move(offset)

    def broke(self, error: NetworkError | Conflict) -> None:
        """A request failed: raises its error if that is so again and again."""
        told = error.expected if isinstance(error, Conflict) else None
        end = told if isinstance(told, int) else self.offset
        if end <= self.offset:
            self._failed(error)
        self._ask = True
        self._move(end)

    def _failed(self, error: NetworkError | Conflict) -> None:
        self._failures += 1
        if self._failures > retries:
            raise error
        self._stop.wait(0.1 * 2**self._failures)

    def _move(self, offset: int) -> None:
        if not 0 <= offset <= self._size:
            raise NetworkError("the registry has more than there is", got=offset)
        if offset > self.offset:
            self._failures = 0
        self._progress(offset - self.offset)
        self.offset = offset


def changed(place: Path) -> IntegrityError:
    """The error for a file that is not what it was when its digests were taken."""
    return IntegrityError(
        "The file changed while it was sent", where=str(place), hint="publish again"
    )


def _read(place: Path, start: int, size: int) -> bytes | None:
    """So many bytes of a file; None where it has none there."""
    with contextlib.suppress(OSError), place.open("rb") as file:
        file.seek(start)
        found = file.read(size)
        return found if len(found) == size else None
    return None


def again(request: Callable[[], Answer]) -> Answer:
    """What a request that may be repeated gives, at last; a registry that is silent is not asked again."""
    for attempt in range(retries):
        try:
            return request()
        except Standstill:
            raise
        except NetworkError:
            time.sleep(0.2 * 2**attempt)
    return request()


def _decoded(decoder: msgspec.json.Decoder[Kind], body: bytes) -> Kind:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NetworkError(f"the answer is not one of a Modelshelf registry: {error}") from None
