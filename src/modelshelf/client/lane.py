"""One thread's way of bringing segments: find or receive, decode, check, put in place."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import blake3

from modelshelf.client.bench import Bench, Benches
from modelshelf.client.hosts import Body, Hosts
from modelshelf.client.receive import Receiver, Stopped, Wire, failed
from modelshelf.client.ways import Base, Need
from modelshelf.errors import IntegrityError, NetworkError, NotFound
from modelshelf.store.codec import RAW, Codec
from modelshelf.store.inbox import LONGEST_BLOB_BYTES, Inbox
from modelshelf.store.local import Place
from modelshelf.store.parts import Parts


class Tools(NamedTuple):
    """What all threads of one fetch share."""

    hosts: Hosts
    benches: Benches
    wire: Wire
    progress: Callable[[int], None]
    """Told how many more bytes of files are there; fewer than none where some were of no use."""


class Gauge:
    """Tells of a segment as it comes: so much of it is there."""

    def __init__(self, need: Need, progress: Callable[[int], None]) -> None:
        self._bytes = need.raw_bytes
        self._progress = progress
        self._shown = 0

    def show(self, share: float) -> None:
        """So much of it, of 1, is there."""
        now = int(self._bytes * share)
        self._progress(now - self._shown)
        self._shown = now


class Lane:
    """Brings segments of `parts`, the file `sha256`, by way of the inbox."""

    def __init__(self, parts: Parts, sha256: str, tools: Tools, inbox: Inbox) -> None:
        self._parts = parts
        self._sha256 = sha256
        self._tools = tools
        self._receiver = Receiver(inbox, tools.wire)
        self._plain = Codec()

    def bring(self, need: Need) -> None:
        """Put a segment in its places. Raises NetworkError, NotFound, IntegrityError, Stopped."""
        if self._tools.wire.stop.is_set():
            raise Stopped
        gauge = Gauge(need, self._tools.progress)
        if need.near:
            with self._tools.benches.one() as bench:
                if self._near(need, bench, gauge):
                    return
        if not (need.delta and self._by_delta(need, need.delta, gauge)):
            self._by_blob(need, gauge)

    def bring_together(self, needs: list[Need]) -> None:
        """The same for several small ones, asked for at once; what does not come so comes alone."""
        keys = {need.identifier: self._key(need) for need in needs}
        left = {key: need for need in needs if (key := keys[need.identifier])}
        alone = [need for need in needs if not keys[need.identifier]]
        while left and (body := self._bundle(left)):
            before = len(left)
            with contextlib.suppress(IntegrityError, NetworkError):
                alone += self._unpacked(body, left)
            if len(left) == before:  # alone, each can be gone on with where it broke off
                break
        for need in (*alone, *left.values()):
            self.bring(need)

    def _near(self, need: Need, bench: Bench, gauge: Gauge) -> bool:
        """From what lies on this machine, if that is what it should be."""
        if any(self._kept(need, bench.read(place), gauge) for place in need.places):
            return True
        if need.cast and self._by_cast(need, need.cast, bench, gauge):
            return True
        blob = bench.read(packed) if (packed := _packed(need)) else None
        return blob is not None and self._decoded(need, blob, None, bench, gauge)

    def _by_cast(self, need: Need, cast: Base, bench: Bench, gauge: Gauge) -> bool:
        base = bench.read(cast.place)
        with contextlib.suppress(IntegrityError):
            return base is not None and self._kept(need, bench.codec.cast(base, cast.kind), gauge)
        return False

    def _by_delta(self, need: Need, delta: Base, gauge: Gauge) -> bool:
        """From what changed against a parent, asked for once more where the wire damaged it.

        It may be there no more, or the parent be damaged.
        """
        if (key := self._delta_key(need, delta)) is None:
            return False
        for fresh in (False, True):

            def ask(start: int, fresh: bool = fresh) -> Body:
                return self._tools.hosts.segment(key, start, fresh=fresh)

            with contextlib.suppress(IntegrityError):
                try:
                    blob = self._receiver.blob(key, ask, gauge.show)
                except NotFound:
                    self._give_up(gauge)
                    return False
                if self._made(need, blob, gauge):
                    return True
            self._give_up(gauge)
        return False

    def _give_up(self, gauge: Gauge) -> None:
        """What came is of no use."""
        self._receiver.inbox.clear()
        gauge.show(0)

    def _by_blob(self, need: Need, gauge: Gauge) -> None:
        """From its own bytes, which are asked for once more where they are not what they should be."""
        for fresh in (False, True):
            with contextlib.suppress(IntegrityError):
                if self._alone(need, gauge, fresh=fresh):
                    return
            self._give_up(gauge)
        raise IntegrityError(
            "a segment is not what it should be, twice",
            where=self._sha256,
            expected=need.identifier,
            hint="the registry is at fault, or a proxy in between: tell its operator",
        )

    def _alone(self, need: Need, gauge: Gauge, *, fresh: bool) -> bool:
        """Whether its blob, or its raw bytes where those come sooner, are what they should be."""
        hosts, receiver = self._tools.hosts, self._receiver
        raw_key = f"{need.identifier}/raw"
        if receiver.inbox.key != raw_key and not self._prefers_raw(need):

            def ask(start: int) -> Body:
                return hosts.segment(need.identifier, start, fresh=fresh)

            with contextlib.suppress(NotFound):  # lost there, perhaps: the whole file is not
                blob = receiver.blob(need.identifier, ask, gauge.show)
                return self._made(need, blob, gauge, alone=True)
        first = self._parts.starts[need.numbers[0]]

        def ask_raw(start: int) -> Body:
            return hosts.part(self._sha256, first, need.size, start)

        return self._kept(need, receiver.blob(raw_key, ask_raw, gauge.show), gauge)

    def _prefers_raw(self, need: Need) -> bool:
        return (
            need.stored < need.size
            and self._tools.wire.pace.prefers_raw(need.stored, need.size)
            and self._tools.hosts.offer.raw
        )

    def _bundle(self, keys: Iterable[str]) -> Body | None:
        """All of these together, None where that is not to be had."""
        failures = 0
        while True:
            try:
                return self._tools.hosts.bundle(keys)
            except NotFound:
                return None
            except NetworkError as error:
                stop = self._tools.wire.stop
                failures = failed(failures, error, advanced=False, stop=stop)

    def _unpacked(self, body: Body, left: dict[str, Need]) -> list[Need]:
        """Take out of `left` what came; gives those of them that were damaged."""
        damaged = []
        for key, blob in self._receiver.frames(body, list(left)):
            need = left.pop(key)
            if not self._made(need, blob, Gauge(need, self._tools.progress)):
                damaged.append(need)
        return damaged

    def _key(self, need: Need) -> str | None:
        return self._delta_key(need, need.delta) if need.delta else need.identifier

    def _delta_key(self, need: Need, delta: Base) -> str | None:
        with self._tools.benches.one() as bench:
            base = bench.read(delta.place)
            if base is None:
                return None
            return f"{need.identifier}-{blake3.blake3(base).hexdigest()}"

    def _made(self, need: Need, blob: memoryview, gauge: Gauge, *, alone: bool = False) -> bool:
        """Whether the blob gives the segment, which is then in place."""
        if len(blob) > 0 and blob[0] == RAW:  # takes no time: nobody need wait for a bench
            with contextlib.suppress(IntegrityError):
                return self._kept(need, self._plain.decode(blob, need.size), gauge)
            return False
        with self._tools.benches.one() as bench:
            base = bench.read(need.delta.place) if need.delta and not alone else None
            return self._decoded(need, blob, base, bench, gauge)

    def _decoded(
        self,
        need: Need,
        blob: memoryview,
        base: memoryview | None,
        bench: Bench,
        gauge: Gauge,
    ) -> bool:
        with contextlib.suppress(IntegrityError):
            began = time.perf_counter()
            raw = bench.codec.decode(blob, need.size, base)
            self._tools.wire.pace.decoded(need.size, time.perf_counter() - began)
            return self._kept(need, raw, gauge)
        return False

    def _kept(self, need: Need, raw: memoryview | None, gauge: Gauge) -> bool:
        """Whether these are the bytes of the segment, which are then in place."""
        if raw is None or len(raw) != need.size:
            return False
        if blake3.blake3(raw).hexdigest() != need.identifier:
            return False
        for number in need.numbers:
            self._parts.write(number, raw)
        gauge.show(1)
        return True


def _packed(need: Need) -> Place | None:
    """Where the packed blob of the segment lies."""
    if need.packed is None:
        return None
    try:
        size = need.packed.stat().st_size
    except OSError:
        return None
    return Place(need.packed, 0, size) if size <= LONGEST_BLOB_BYTES else None
