"""How a segment is told in few bytes: a blob, from which its bytes come back exactly.

A blob opens with its way of telling and the width of its values; what follows is the business of
one module each: `planes` for numbers, `differences` for numbers of which a parent is known,
`frames` for everything else. `Codec` chooses among them, and bounds what a forged blob can cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelshelf.store.codec.cursor import Cursor, malformed, number

if TYPE_CHECKING:
    from modelshelf.store.codec.frames import Frames
    from modelshelf.store.codec.streams import Bytes, Streams

__all__ = ["CASTS", "Codec", "needs_base"]

CASTS = ("float32>bfloat16", "float32>float16")
"""What `Codec.cast` can do: what the parent's values are, and what they become."""
RAW, FRAME, PLANES, FLOATS, DELTA, FLOAT_DELTA = range(6)
WORTH = 0.98
"""A blob of more than so much of the segment is not worth decoding."""
WORTH_A_BASE = 0.8
"""The same for one that needs a base, of the blob that needs none."""

Buffer = bytes | bytearray | memoryview


def needs_base(blob: Buffer) -> bool:
    """Whether decoding `blob` asks for the bytes of a parent."""
    return len(blob) > 0 and blob[0] in {DELTA, FLOAT_DELTA}


class Codec:
    """Encodes and decodes segments; one a thread, as its buffers are used again and again."""

    def __init__(self) -> None:
        self._streams_made: Streams | None = None
        self._frames_made: Frames | None = None
        self._out = bytearray()
        self._room = bytearray()
        self._cast = bytearray()

    def solo(self, raw: Buffer, width: int = 0, *, floating: bool = False) -> bytes:
        """`raw` in few bytes, from which it comes back alone: never more than 2 over its own.

        `width` is the bytes of a value, 0 if unknown; `floating` as in a recipe's cuts.
        """
        view = _bytes(raw)
        tried = [self._framed(view)]
        for each, turned in ((2, True), (4, True)) if not width else ((width, floating),):
            if len(view) >= each:
                body = self._planes(view, each, floating=turned)
                tried.append(bytes((FLOATS if turned else PLANES, each)) + body)
        best = min(tried, key=len)
        return best if len(best) < WORTH * len(view) else bytes((RAW, width)) + view

    def delta(
        self, raw: Buffer, base: Buffer, width: int, *, floating: bool = False, below: int
    ) -> bytes | None:
        """`raw` told against `base`, the bytes of the same tensor in a parent.

        None unless that needs less than .8 of `below`, the bytes without a base. Where `base` is
        shorter, the rest of `raw` is told alone.
        """
        from modelshelf.store.codec import differences

        view, parent = _bytes(raw), _bytes(base)
        width = width or 1
        covered = _covered(len(view), len(parent), width)
        body = differences.encode(
            view[:covered],
            parent[:covered],
            width,
            self._streams(),
            self._space(covered),
            floating=floating,
        )
        rest = self.solo(view[covered:], width, floating=floating) if covered < len(view) else b""
        blob = b"".join(
            (bytes((FLOAT_DELTA if floating else DELTA, width)), number(len(body)), body, rest)
        )
        return blob if len(blob) < WORTH_A_BASE * below else None

    def decode(self, blob: Buffer, size: int, base: Buffer | None = None) -> memoryview:
        """Exactly `size` bytes, good until the next call; raises IntegrityError for a forged blob."""
        view = _bytes(blob)
        if len(view) > 1 and view[0] == RAW:
            if len(view) != size + 2:
                raise malformed(f"{len(view) - 2} bytes instead of {size}")
            return view[2:]
        if len(self._out) < size:
            self._out = bytearray(size)
        out = memoryview(self._out)[:size]
        self._fill(view, out, None if base is None else _bytes(base))
        return out.toreadonly()

    def cast(self, base: Buffer, kind: str) -> memoryview:
        """The values of `base` as `kind` (one of `CASTS`) says, good until the next call."""
        if kind not in CASTS or len(base) % 4:
            raise malformed(f"a cast {kind} of {len(base)} bytes")
        import numpy as np

        from modelshelf.store.codec import casts

        size = len(base) // 2
        if len(self._cast) < size:
            self._cast = bytearray(size)
        out = memoryview(self._cast)[:size]
        make = getattr(casts, kind.partition(">")[2])
        make(np.frombuffer(base, "<u4"), np.frombuffer(out, "<u2"))
        return out.toreadonly()

    def _fill(self, blob: memoryview, out: memoryview, base: memoryview | None) -> None:
        source = Cursor(blob)
        way, width = source.take(2)
        if way == RAW:
            out[:] = source.take(len(out))
        elif way == FRAME:
            self._frames().fill(source.rest(), out)
        elif way in {PLANES, FLOATS} and width:
            self._fill_planes(source, width, out, floating=way == FLOATS)
        elif way in {DELTA, FLOAT_DELTA} and width and base is not None:
            self._fill_delta(source, width, out, base, floating=way == FLOAT_DELTA)
        else:
            raise malformed(f"way {way}, width {width}")
        source.finish()

    def _fill_planes(self, source: Cursor, width: int, out: memoryview, *, floating: bool) -> None:
        from modelshelf.store.codec import planes

        if floating and width not in (1, 2, 4, 8):
            raise malformed(f"floating values of {width} bytes")
        room = self._space(len(out))
        planes.decode(source, width, self._streams(), room, out, floating=floating)

    def _fill_delta(
        self, source: Cursor, width: int, out: memoryview, base: memoryview, *, floating: bool
    ) -> None:
        from modelshelf.store.codec import differences

        covered = _covered(len(out), len(base), width)
        body = Cursor(source.take(source.number()))
        room = self._space(covered)
        differences.decode(
            body,
            base[:covered],
            width,
            self._streams(),
            room,
            out[:covered],
            floating=floating,
        )
        body.finish()
        if covered < len(out):
            rest = source.rest()
            if needs_base(rest):
                raise malformed("a base for what has none")
            self._fill(rest, out[covered:], None)

    def _framed(self, view: memoryview) -> bytes:
        return bytes((FRAME, 0)) + self._frames().general(view)

    def _planes(self, view: memoryview, width: int, *, floating: bool) -> bytes:
        from modelshelf.store.codec import planes

        room = self._space(len(view))
        return planes.encode(view, width, self._streams(), room, floating=floating)

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

    def _space(self, size: int) -> Bytes:
        import numpy as np

        if len(self._room) < size:
            self._room = bytearray(size)
        return np.frombuffer(self._room, np.uint8)


def _bytes(data: Buffer) -> memoryview:
    return memoryview(data).cast("B")


def _covered(size: int, base: int, width: int) -> int:
    """So many bytes have a counterpart in the base: whole values only."""
    return min(size, base) // width * width
