"""How a segment is told in few bytes: a blob, from which its bytes come back exactly.

A blob opens with the way in which it tells them and the width of the values; what follows is the
business of one module each: `octaves` for weights, `planes` for other numbers, `differences` for
numbers of which a parent is known, `frames` for everything else. `Codec` chooses among them, and
bounds what a forged blob can cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelshelf.store.codec.cursor import Cursor, malformed, number

if TYPE_CHECKING:
    from modelshelf.store.codec.frames import Frames
    from modelshelf.store.codec.streams import Streams

__all__ = ["CASTS", "Codec", "needs_base"]

CASTS = ("float32>bfloat16", "float32>float16")
"""What `Codec.cast` can do: what the parent's values are, and what they become."""

RAW, FRAME, PLANES, FLOATS, OCTAVES, DELTA, FLOAT_DELTA, AFTER = range(8)
"""The ways: the first byte of a blob."""
PROBE_BYTES = 128 << 10
WORTH = 0.98
"""A blob of more than so much of the segment is not worth decoding."""
WORTH_A_BASE = 0.8
"""The same for one that needs a base, of the blob that needs none."""

Buffer = bytes | bytearray | memoryview
Way = tuple[int, int]
"""A way and the width of the values."""
FRAMED: Way = (FRAME, 0)


def needs_base(blob: Buffer) -> bool:
    """Whether decoding `blob` asks for the bytes of a parent."""
    return len(blob) > 0 and blob[0] in {DELTA, FLOAT_DELTA, AFTER}


class Codec:
    """Encodes and decodes segments; one a thread, as its buffers are used again and again."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._rounded = bytearray()
        self._frames_made: Frames | None = None
        self._streams_made: Streams | None = None

    def solo(self, raw: Buffer, width: int = 0, *, floating: bool = False) -> bytes:
        """`raw` in few bytes, from which it comes back alone: at most 2 more than it has itself.

        `width` is the bytes of a value, 0 if unknown; `floating` as in a recipe's cuts.
        """
        view, width = _bytes(raw), _width(width)
        ways = _ways(width, len(view), floating=floating)
        if len(view) > PROBE_BYTES:
            ways = self._likely(ways, view, width)
        blobs = [self._tell(way, view) for way in ways]
        best = min(blobs, key=len, default=view)
        return bytes(best) if len(best) < WORTH * len(view) else bytes((RAW, width)) + view

    def delta(
        self, raw: Buffer, base: Buffer, width: int, *, floating: bool = False, below: int
    ) -> bytes | None:
        """`raw` told against `base`, the bytes of the same tensor in a parent.

        None unless that needs less than .8 of `below`, the bytes without a base. Where `base` is
        shorter, the rest of `raw` is told alone. Where `width` is 0, it is no tensor but, say, a
        text: what comes again from the base is not told.
        """
        view, parent, width = _bytes(raw), _bytes(base), _width(width)
        most = WORTH_A_BASE * below
        if width:
            blob = self._differences(view, parent, width, floating=floating)
        elif self._goes_on(view, parent, most):
            blob = bytes((AFTER, 0)) + self._frames().after(view, parent)
        else:
            return None
        return blob if len(blob) < most else None

    def decode(self, blob: Buffer, size: int, base: Buffer | None = None) -> memoryview:
        """The `size` bytes that `blob` tells, good until the next call.

        `base` may be what `cast` returned, not what this codec decoded last: that is overwritten.
        Raises IntegrityError for a blob that is damaged, tells another number of bytes or lacks
        its base; no blob takes more memory than a few times `size`.
        """
        view = _bytes(blob)
        if len(view) == size + 2 and view[0] == RAW:
            return view[2:]
        if len(self._out) < size:
            self._out = bytearray(size)
        out = memoryview(self._out)[:size]
        if needs_base(view):
            self._fill_delta(view, out, base)
        else:
            self._fill(view, out)
        return out.toreadonly()

    def cast(self, base: Buffer, kind: str) -> memoryview:
        """The values of `base` as `kind` (one of `CASTS`) says, good until the next cast."""
        if kind not in CASTS or len(base) % 4:
            raise malformed(f"a cast {kind} of {len(base)} bytes")
        from modelshelf.store.codec import casts

        if len(self._rounded) < len(base) // 2:
            self._rounded = bytearray(len(base) // 2)
        out = memoryview(self._rounded)[: len(base) // 2]
        casts.ROUND[kind](_bytes(base), out)
        return out.toreadonly()

    def _differences(
        self, view: memoryview, parent: memoryview, width: int, *, floating: bool
    ) -> bytes:
        from modelshelf.store.codec import differences

        covered = _covered(len(view), len(parent), width)
        told = differences.encode(
            view[:covered], parent[:covered], width, self._streams(), floating=floating
        )
        rest = self.solo(view[covered:], width, floating=floating) if covered < len(view) else b""
        way = FLOAT_DELTA if floating else DELTA
        return b"".join((bytes((way, width)), number(len(told)), told, rest))

    def _goes_on(self, view: memoryview, parent: memoryview, most: float) -> bool:
        """Whether a part of `view` says that it is told after its parent in fewer bytes than `most`."""
        part = view[len(view) // 2 :][:PROBE_BYTES]
        if len(view) <= 2 * PROBE_BYTES:
            return True
        return len(self._frames().after(part, parent)) < most * len(part) / len(view)

    def _likely(self, ways: list[Way], view: memoryview, width: int) -> list[Way]:
        """The ways that tell a sample in the fewest bytes, if they are worth it."""
        sample = _sample(view, width or 8)
        if not self._streams().repeat(sample):
            ways.remove(FRAMED)
        costs = {way: len(self._tell(way, sample)) for way in ways}
        best = min(costs, key=costs.__getitem__)
        if costs[best] >= WORTH * len(sample):
            return []
        # a sample has less that repeats
        return [way for way in {best, FRAMED} & costs.keys() if costs[way] < 1.2 * costs[best]]

    def _tell(self, way: Way, view: memoryview) -> bytes:
        kind, width = way
        head = bytes(way)
        if kind == FRAME:
            return head + self._frames().thorough(view)
        if kind == OCTAVES:
            from modelshelf.store.codec import octaves

            return head + octaves.encode(view, width, self._streams())
        from modelshelf.store.codec import planes

        return head + planes.encode(view, width, self._streams(), floating=kind == FLOATS)

    def _fill(self, blob: memoryview, out: memoryview) -> None:
        source = Cursor(blob)
        way, width = source.take(2)
        if way == RAW:
            out[:] = source.take(len(out))
        elif way == FRAME:
            self._frames().fill(source.rest(), out)
        elif way == OCTAVES and width:
            from modelshelf.store.codec import octaves

            octaves.decode(source, width, self._streams(), out)
        elif way in {PLANES, FLOATS} and width:
            from modelshelf.store.codec import planes

            planes.decode(source, width, self._streams(), out, floating=way == FLOATS)
        else:
            raise malformed(f"way {way}, width {width}")
        source.finish()

    def _fill_delta(self, blob: memoryview, out: memoryview, base: Buffer | None) -> None:
        source = Cursor(blob)
        way, width = source.take(2)
        if base is None or bool(width) is (way == AFTER):
            raise malformed("a difference to what is not known")
        if way == AFTER:
            return self._frames().fill(source.rest(), out, _bytes(base))
        from modelshelf.store.codec import differences

        parent = _bytes(base)
        covered = _covered(len(out), len(parent), width)
        told = Cursor(source.take(source.number()))
        differences.decode(
            told,
            parent[:covered],
            width,
            self._streams(),
            out[:covered],
            floating=way == FLOAT_DELTA,
        )
        told.finish()
        if covered < len(out):
            self._fill(source.rest(), out[covered:])
        return source.finish()

    def _streams(self) -> Streams:
        if self._streams_made is None:
            from modelshelf.store.codec.streams import Streams

            self._streams_made = Streams(self._frames())
        return self._streams_made

    def _frames(self) -> Frames:
        if self._frames_made is None:
            from modelshelf.store.codec.frames import Frames

            self._frames_made = Frames()
        return self._frames_made


def _bytes(data: Buffer) -> memoryview:
    return memoryview(data).cast("B")


def _width(width: int) -> int:
    """`width`, or 0 where it does not go into a byte."""
    return width if 0 < width < 256 else 0


def _ways(width: int, size: int, *, floating: bool) -> list[Way]:
    """What may tell values of `width` bytes; where that is 0, everything that may."""
    floats = [(FLOATS, each) for each in ((2, 4) if not width else (width,) if floating else ())]
    octaves = [(OCTAVES, each) for _, each in floats if each in (2, 4)]
    plain = [] if floating else [(PLANES, width or 1)]
    return [way for way in [FRAMED, *plain, *floats, *octaves] if way[1] <= size and size]


def _sample(view: memoryview, width: int) -> memoryview:
    """Whole values from four places."""
    part = max(PROBE_BYTES, 2048 * width) // 4 // width * width
    step = len(view) // 4 // width * width
    return memoryview(b"".join(view[at * step :][:part] for at in range(4)))


def _covered(size: int, base: int, width: int) -> int:
    """So many bytes have a counterpart in the base: whole values only."""
    return min(size, base) // width * width
