"""Recipes: which segments a file is made of, in which order, and which files help to make them.

A segment is at most 4 MiB of a file, cut at the borders of tensors; its id is the BLAKE3 of its raw
bytes. Concatenated, the segments of a recipe are the file, byte for byte: a wrong cut can cost
bytes on the wire, never a wrong file. On the wire a recipe is a msgpack array, compressed by zstd.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

import msgspec

from modelshelf.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zstandard

SEGMENT_BYTES = 4 << 20
"""No segment is longer."""
SMALL_BYTES = 64 << 10
"""A file of fewer bytes goes whole; blobs of fewer are bundled."""
ID_BYTES = 32
MOST_SEGMENTS = 1 << 16
"""A recipe may have so many segments, and one more for each MiB."""
MOST_PARENTS = 16
MOST_RUNS = 1 << 16
"""So many has a parent, and all parents of a recipe have twice as many."""
LONGEST_RECIPE_BYTES = 24 << 20
"""A recipe may have so many bytes when decompressed."""
DELTA = "delta"
CAST_TIMES = 2
"""Every cast there is makes values half as wide."""
_KEY = re.compile(r"[0-9a-f]{64}(-[0-9a-f]{64})?")


class Cut(NamedTuple):
    """A tensor's bytes in a file: from `start` up to `stop`, by values of `width` bytes.

    `width` is 0 where nothing is known of them. `floating` tells that the sign is the highest bit
    and the exponent follows.
    """

    start: int
    stop: int
    width: int = 0
    floating: bool = False


class Piece(NamedTuple):
    """A segment to be: where it lies in its file and how its values are laid out."""

    start: int
    size: int
    width: int
    floating: bool


class Run(NamedTuple):
    """`size` bytes of a file from `start` on, made from a parent's bytes from `source` on.

    In a cast the parent's bytes are as much longer as its values are wider.
    """

    start: int
    source: int
    size: int


class Parent(msgspec.Struct, frozen=True, array_like=True):
    """A whole file that helps to make this one, for who has it.

    `kind` is `delta`, or a cast as `float32>bfloat16`. `stored` has, for each segment, the bytes to
    fetch when the parent is here: 0 if none, None where the parent does not help.
    """

    file: str
    kind: str
    runs: tuple[Run, ...]
    stored: tuple[int | None, ...]

    def base(self, start: int, size: int) -> tuple[int, int] | None:
        """Where in the parent lies what the segment at `start` is made from: first byte, bytes.

        A delta may have a base that is shorter than the segment; a cast needs all of it.
        """
        number = bisect_right(self.runs, start, key=lambda run: run.start) - 1
        if number < 0:
            return None
        run = self.runs[number]
        offset, left = start - run.start, run.start + run.size - start
        if self.kind == DELTA:
            return (run.source + offset, min(size, left)) if left > 0 else None
        times = CAST_TIMES
        return (run.source + times * offset, times * size) if left >= size else None


class Recipe(msgspec.Struct, frozen=True, array_like=True):
    """The segments of one file: their ids one after another, raw sizes, and bytes when fetched."""

    size: int
    ids: bytes
    sizes: tuple[int, ...]
    stored: tuple[int, ...]
    parents: tuple[Parent, ...] = ()

    def segments(self) -> Iterator[tuple[str, int, int]]:
        """Each segment in order: id (hex), first byte in the file, size."""
        starts = accumulate(self.sizes, initial=0)
        for number, (start, size) in enumerate(zip(starts, self.sizes, strict=False)):
            yield self.ids[number * ID_BYTES : (number + 1) * ID_BYTES].hex(), start, size

    def distinct(self) -> set[str]:
        """The ids, each once."""
        return {identifier for identifier, _, _ in self.segments()}


def pieces(size: int, cuts: Iterable[Cut]) -> list[Piece]:
    """The segments of a file of `size` bytes: every byte in exactly one, none over 4 MiB.

    Cuts that overlap an earlier one, or lie outside, are passed over. Tensors are cut from their
    own start, so that one found elsewhere, or grown at its end, gives the same segments.
    """
    tensors = sorted(cuts)
    if len(tensors) > MOST_SEGMENTS // 2:  # of dust there is nothing to share
        tensors = []
    found: list[Piece] = []
    at = 0
    for cut in tensors:
        if at <= cut.start < cut.stop <= size:
            found += _split(Cut(at, cut.start))
            found += _split(cut)
            at = cut.stop
    return [*found, *_split(Cut(at, size))]


def _split(cut: Cut) -> Iterator[Piece]:
    step = SEGMENT_BYTES - SEGMENT_BYTES % (cut.width or 1)
    for start in range(cut.start, cut.stop, step):
        yield Piece(start, min(step, cut.stop - start), cut.width, cut.floating)


def most_segments(size: int) -> int:
    """So many segments may a file of `size` bytes be cut into."""
    return MOST_SEGMENTS + (size >> 20)


def is_key(text: str) -> bool:
    """Whether `text` names a stored segment: `ID`, or `ID-BASE` for one told against a base."""
    return _KEY.fullmatch(text) is not None


def dumps(recipe: Recipe) -> bytes:
    """The recipe as it goes over the wire; the same recipe gives the same bytes."""
    import zstandard

    packed = msgspec.msgpack.encode(recipe)
    return zstandard.ZstdCompressor(level=9, write_content_size=True).compress(packed)


def tag(body: bytes) -> str:
    """The ETag of a recipe: of what it says, however it was compressed."""
    return f'"{hashlib.sha256(_unpacked(body)).hexdigest()[:32]}"'


def shortened(body: bytes, known: Recipe) -> bytes:
    """A recipe for who knows another: of ids that both have, little is told."""
    import zstandard

    return zstandard.ZstdCompressor(
        level=9, dict_data=_dictionary(known), write_dict_id=False, write_content_size=True
    ).compress(_unpacked(body))


def lengthened(short: bytes, known: Recipe) -> bytes:
    """The recipe that was `shortened`; raises IntegrityError where it cannot be."""
    import zstandard

    try:
        packed = _unpacked(short, _dictionary(known))
    except zstandard.ZstdError as error:
        raise _forged(str(error)) from None
    return zstandard.ZstdCompressor(level=9, write_content_size=True).compress(packed)


def _dictionary(known: Recipe) -> zstandard.ZstdCompressionDict:
    import zstandard

    return zstandard.ZstdCompressionDict(known.ids, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def loads(body: bytes, size: int) -> Recipe:
    """The recipe of a file of `size` bytes, from the wire; raises IntegrityError for a forged one.

    Nothing is taken in before it is known to be of a size that a true recipe can have.
    """
    import zstandard

    try:
        packed = _unpacked(body)
        _require_bounded(packed, size)
        recipe = _DECODER.decode(packed)
    except (zstandard.ZstdError, msgspec.MsgspecError, MemoryError, RecursionError) as error:
        raise _forged(str(error)) from None
    require_honest(recipe, size)
    return recipe


def _unpacked(body: bytes, known: zstandard.ZstdCompressionDict | None = None) -> bytes:
    import zstandard

    # the decompressor makes room for whatever the frame says
    told = zstandard.get_frame_parameters(body).content_size
    if not 0 < told <= LONGEST_RECIPE_BYTES:
        raise _forged(f"{told} bytes")
    return zstandard.ZstdDecompressor(dict_data=known).decompress(body, allow_extra_data=False)


def _require_bounded(packed: bytes, size: int) -> None:
    """Raise IntegrityError for lists that are too long, which are not looked into for that."""
    outline = _OUTLINE.decode(packed)
    lists = [outline.sizes, outline.stored]
    if _length(outline.parents) > MOST_PARENTS:
        raise _forged(f"{_length(outline.parents)} parents")
    parents = _PARENTS.decode(outline.parents)
    lists += [parent.stored for parent in parents]
    if (count := max(map(_length, lists))) > most_segments(size):
        raise _forged(f"{count} segments")
    if (count := sum(_length(parent.runs) for parent in parents)) > 2 * MOST_RUNS:
        raise _forged(f"{count} runs")


def _length(packed: msgspec.Raw) -> int:
    """How many values a packed array has, as its head says (msgpack: fixarray, array 16, 32)."""
    head = bytes(memoryview(packed)[:5])
    if head[0] & 0xF0 == 0x90:
        return head[0] & 0x0F
    if head[0] in (0xDC, 0xDD):
        return int.from_bytes(head[1:3] if head[0] == 0xDC else head[1:5], "big")
    raise _forged("no list where one belongs")


def require_honest(recipe: Recipe, size: int) -> None:
    """Raise IntegrityError for a recipe that cannot be that of a file of `size` bytes."""
    wrong = _lie(recipe, size)
    if wrong:
        raise _forged(wrong)


def _lie(recipe: Recipe, size: int) -> str | None:
    count = len(recipe.sizes)
    if (
        count > most_segments(size)
        or len(recipe.ids) != count * ID_BYTES
        or len(recipe.stored) != count
    ):
        return f"{count} segments, {len(recipe.ids)} bytes of ids"
    if recipe.size != size or sum(recipe.sizes) != size:
        return f"{sum(recipe.sizes)} bytes instead of {size}"
    if any(not 0 < each <= SEGMENT_BYTES for each in recipe.sizes):
        return "a segment of no bytes, or of too many"
    if any(not 0 < each <= SEGMENT_BYTES + 64 for each in recipe.stored):
        return "a segment that is stored in no bytes, or in too many"
    if len(recipe.parents) > MOST_PARENTS:
        return f"{len(recipe.parents)} parents"
    return next((wrong for each in recipe.parents if (wrong := _lie_of(each, count, size))), None)


def _lie_of(parent: Parent, count: int, size: int) -> str | None:
    if not re.fullmatch(r"[0-9a-f]{64}", parent.file):
        return f"a parent called {parent.file[:80]}"
    if len(parent.stored) != count or len(parent.runs) > MOST_RUNS:
        return f"a parent of {len(parent.stored)} segments and {len(parent.runs)} runs"
    if any(each is not None and not 0 <= each <= SEGMENT_BYTES + 64 for each in parent.stored):
        return "a parent that saves nothing"
    at = 0
    for run in parent.runs:
        if run.start < at or run.source < 0 or run.size <= 0 or run.start + run.size > size:
            return "runs that overlap or lie outside the file"
        at = run.start + run.size
    return None


def _forged(what: str) -> IntegrityError:
    return IntegrityError(
        "the recipe of a file is not to be trusted",
        got=what[:200],
        hint="the registry is at fault: tell its operator",
    )


class _ParentOutline(msgspec.Struct, frozen=True, array_like=True):
    file: str
    kind: str
    runs: msgspec.Raw
    stored: msgspec.Raw


class _Outline(msgspec.Struct, frozen=True, array_like=True):
    size: int
    ids: msgspec.Raw
    sizes: msgspec.Raw
    stored: msgspec.Raw
    parents: msgspec.Raw = msgspec.Raw(b"\x90")


_OUTLINE = msgspec.msgpack.Decoder(_Outline)
_PARENTS = msgspec.msgpack.Decoder(tuple[_ParentOutline, ...])
_DECODER = msgspec.msgpack.Decoder(Recipe)
"""Made before any thread is: two that make the first decoder of a type at once crash Python."""
