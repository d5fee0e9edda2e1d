"""The header of a GGUF file: its metadata and where each tensor lies, read in place.

Source: the GGUF specification (`docs/gguf.md` of the ggml project), `gguf/constants.py` for the
blocks of quantised types. Iterative and bounded; every length is checked against the file first.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo

MARK = b"GGUF"
KEY_COUNT = 100_000
TENSOR_COUNT = 1_000_000
STEP_COUNT = 2_000_000
"""Strings and arrays within arrays, all together: half a second; vocabularies have some 500,000."""
ARRAY_DEPTH = 4
NAME_BYTES = 65_536
TEXT_BYTES = 1_000_000
"""The longest text kept; of a longer one only the beginning is."""
RANK = 4
ALIGNMENT = 32
"""Bytes that tensors are aligned to where the metadata says nothing else."""

# ggml's type: (name in a record, values of one block, bytes of one block)
TYPES = {
    0: ("float32", 1, 4), 1: ("float16", 1, 2), 2: ("q4_0", 32, 18), 3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22), 7: ("q5_1", 32, 24), 8: ("q8_0", 32, 34), 9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84), 11: ("q3_k", 256, 110), 12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176), 14: ("q6_k", 256, 210), 15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66), 17: ("iq2_xs", 256, 74), 18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50), 20: ("iq4_nl", 32, 18), 21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82), 23: ("iq4_xs", 256, 136), 24: ("int8", 1, 1), 25: ("int16", 1, 2),
    26: ("int32", 1, 4), 27: ("int64", 1, 8), 28: ("float64", 1, 8), 29: ("iq1_m", 256, 56),
    30: ("bfloat16", 1, 2), 31: ("q4_0_4_4", 32, 18), 32: ("q4_0_4_8", 32, 18),
    33: ("q4_0_8_8", 32, 18), 34: ("tq1_0", 256, 54), 35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17), 40: ("nvfp4", 64, 36), 41: ("q1_0", 128, 18),
}  # fmt: skip

# Types of metadata values that have a fixed size, as `struct` calls them.
_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9


BLOCK = 64
_SHORT = 40


class Skipped(NamedTuple):
    """An array of the metadata that was stepped over."""

    length: int

    def __str__(self) -> str:
        """`array of 3`."""
        return f"array of {self.length}"


Value = int | float | bool | str | Skipped | None


@dataclass
class Header:
    """What the header says; `placed` are the tensors with first byte and byte after the last.

    `order` is `<` for little endian, `>` for big.
    """

    version: int
    order: str
    metadata: dict[str, Value] = field(default_factory=dict)
    alignment: int = ALIGNMENT
    placed: list[tuple[TensorInfo, int, int]] = field(default_factory=list)


class Cursor:
    """A place in the file that moves on with each value read."""

    def __init__(
        self, data: bytes | mmap.mmap, order: str, at: int, *, is_first_version: bool
    ) -> None:
        self._data = data
        self._order = order
        self.at = at
        self._size = len(data)
        self._length = "I" if is_first_version else "Q"
        self._left = STEP_COUNT

    def scalar(self, kind: str) -> int | float | bool:
        """One value, as `struct` calls it."""
        size = struct.calcsize(f"={kind}")
        self.require(size)
        raw = self._data[self.at : self.at + size]
        self.at += size
        value: int | float | bool = struct.unpack(f"{self._order}{kind}", raw)[0]
        return value

    def number(self, kind: str) -> int:
        """One whole number."""
        return int(self.scalar(kind))

    def length(self) -> int:
        """A count: 32 bits in the first version, 64 since."""
        return self.number(self._length)

    def text(self, limit: int) -> str:
        """A string; cut at `limit` bytes."""
        size = self.length()
        self.require(size)
        raw = self._data[self.at : self.at + min(size, limit)]
        self.at += size
        return raw.decode("utf-8", "replace")

    def skip_array(self) -> Skipped:
        """Step over an array; arrays within it too."""
        kind, count = self.number("I"), self.length()
        pending = [(kind, count)]
        while pending:
            kind, left = pending.pop()
            if kind in _SCALARS:
                self._skip(left * struct.calcsize(f"={_SCALARS[kind]}"))
            elif kind == _STRING:
                self._skip_strings(left)
            elif kind == _ARRAY and left:
                self._spend(1)
                if len(pending) >= ARRAY_DEPTH:
                    raise FormatError(f"an array is nested deeper than {ARRAY_DEPTH} levels")
                pending += [(kind, left - 1), (self.number("I"), self.length())]
            elif kind != _ARRAY:
                raise _unknown(kind)
        return Skipped(count)

    def require(self, size: int) -> None:
        """Raise FormatError unless so many bytes are left."""
        if self.at + size > self._size:
            raise FormatError(
                "the header is cut off",
                where=f"byte {self.at}",
                expected=f"{size} more bytes",
                got=f"{max(self._size - self.at, 0)}",
                hint="download the file again",
            )

    def _skip(self, size: int) -> None:
        self.require(size)
        self.at += size

    def _skip_strings(self, count: int) -> None:
        """The one loop that a vocabulary runs through: short texts of usual files in blocks."""
        width = struct.calcsize(f"={self._length}")
        self.require(width * count)
        self._spend(count)
        is_usual = (self._order, self._length) == ("<", "Q")
        left = count
        while left:
            in_block = is_usual and left >= BLOCK
            block = _short_texts().match(self._data, self.at) if in_block else None
            if block is not None:
                self.at = block.end()
            else:
                self._step_over(min(left, BLOCK), width)
            left -= min(left, BLOCK)

    def _step_over(self, count: int, width: int) -> None:
        length = struct.Struct(f"{self._order}{self._length}").unpack_from
        for _ in range(count):
            self.require(width)
            self.at += width + length(self._data, self.at)[0]
        self.require(0)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise FormatError(f"the metadata lists more than {STEP_COUNT} texts")


@cache
def _short_texts() -> re.Pattern[bytes]:
    """`BLOCK` texts shorter than `_SHORT` bytes, each after its length: a quarter of a loop's time."""
    each = (re.escape(bytes([n])) + rb"\0{7}" + b".{%d}" % n for n in range(_SHORT))
    return re.compile(b"(?:%b){%d}+" % (b"|".join(each), BLOCK), re.DOTALL)


def header_of(data: bytes | mmap.mmap) -> Header:
    """Read the header.

    Raises:
        FormatError: it is cut off, of an unknown version, or its tensors do not fit the file.

    """
    if data[:4] != MARK:
        raise FormatError("the file does not begin as GGUF does", expected=MARK, got=data[:4])
    version = struct.unpack("<I", data[4:8])[0]
    order = "<" if version & 0xFFFF else ">"
    version = struct.unpack(f"{order}I", data[4:8])[0]
    if not 1 <= version <= 3:
        raise FormatError("the file is of an unknown version", expected="1 to 3", got=version)
    header = Header(version, order)
    cursor = Cursor(data, order, 8, is_first_version=version == 1)
    tensors, keys = cursor.length(), cursor.length()
    if tensors > TENSOR_COUNT or keys > KEY_COUNT:
        raise FormatError(
            "the file has more tensors or keys than any real model",
            expected=f"at most {TENSOR_COUNT} and {KEY_COUNT}",
            got=f"{tensors} and {keys}",
        )
    for _ in range(keys):
        _metadata(cursor, header)
    header.alignment = _alignment(header.metadata)
    described = [_described(cursor, version) for _ in range(tensors)]
    start = -(-cursor.at // header.alignment) * header.alignment
    header.placed = _placed(described, start, header.alignment, len(data))
    return header


def _metadata(cursor: Cursor, header: Header) -> None:
    key = cursor.text(NAME_BYTES)
    if key in header.metadata:
        raise FormatError(f"the metadata names {key[:80]!r} twice")
    kind = cursor.number("I")
    if kind == _STRING:
        header.metadata[key] = cursor.text(TEXT_BYTES)
    elif kind == _ARRAY:
        header.metadata[key] = cursor.skip_array()
    elif kind in _SCALARS:
        header.metadata[key] = cursor.scalar(_SCALARS[kind])
    else:
        raise _unknown(kind)


def _alignment(metadata: dict[str, Value]) -> int:
    alignment = metadata.get("general.alignment", ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise FormatError(
            "the alignment is not possible", expected="a power of two", got=str(alignment)[:40]
        )
    return alignment


def _described(cursor: Cursor, version: int) -> tuple[TensorInfo, int, int]:
    """A tensor with its offset and size in bytes. Sizes stand innermost first in the file."""
    name = cursor.text(NAME_BYTES)
    rank = cursor.number("I")
    if rank > RANK:
        raise FormatError(f"tensor {name[:80]!r} has too many dimensions", expected=RANK, got=rank)
    sizes = [cursor.number("I" if version == 1 else "Q") for _ in range(rank)]
    kind, offset = cursor.number("I"), cursor.number("Q")
    if kind not in TYPES:
        raise FormatError(f"tensor {name[:80]!r} is of an unknown type", got=kind)
    word, block, block_bytes = TYPES[kind]
    if (sizes[0] if sizes else 1) % block or math.prod(sizes) >= 1 << 62:
        raise FormatError(
            f"tensor {name[:80]!r} has an impossible shape",
            expected=f"rows of a multiple of {block} values",
            got=str(sizes)[:80],
        )
    size_bytes = math.prod(sizes) // block * block_bytes
    return TensorInfo(name, word, tuple(reversed(sizes))), offset, size_bytes


def _placed(
    described: list[tuple[TensorInfo, int, int]], start: int, alignment: int, size: int
) -> list[tuple[TensorInfo, int, int]]:
    """The tensors with their places in the file, in which they must lie without overlap."""
    if len({tensor.name for tensor, _, _ in described}) != len(described):
        raise FormatError("two tensors have one name")
    reached = 0
    for tensor, offset, length in sorted(described, key=lambda each: (each[1], each[2])):
        if offset % alignment or offset < reached or start + offset + length > size:
            raise FormatError(
                f"tensor {tensor.name[:80]!r} overlaps another or does not lie in the file",
                expected=f"from byte {reached} to {max(size - start, 0)} of the data,"
                f" at a multiple of {alignment}",
                got=f"{offset}, {length} bytes long",
                hint="the file is cut off or damaged; download it again",
            )
        reached = offset + length
    return [(tensor, start + at, start + at + length) for tensor, at, length in described]


def _unknown(kind: int) -> FormatError:
    return FormatError("the metadata has a value of an unknown type", got=kind)
