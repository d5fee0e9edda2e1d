"""FlatBuffers read in place: tables, vectors and texts, every offset checked before it is followed.

Source: the "FlatBuffers Internals" and "FlexBuffers" pages of FlatBuffers' documentation. Nothing
here recurses: a table is only entered where the caller's schema asks for it, and each one entered
counts against a number that follows from the size of the file, so tables that are referred to many
times cost a reader no more than an honest file of that size.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator

from modelshelf.errors import FormatError

TABLE_COUNT = 250_000
"""Tables entered in one file at most: some times what the largest language models have."""
REFERENCE_BYTES = 4
"""What each table takes of a file at least: what refers to it."""
TEXT_BYTES = 65_536
NUMBER_COUNT = 4_000_000
"""Numbers taken from vectors of one file at most."""
TEXTS_BYTES = 64 * 1024 * 1024
"""How much text is taken from one file at most."""

Memory = bytes | mmap.mmap

FIELD_COUNT = 40
"""Fields of one table that can be asked for; no schema read here has as many."""

_NUMBERS = {code: struct.Struct(f"<{code}") for code in "bBhHiIfqQ"}
_SIGNED = struct.Struct("<i")
_UNSIGNED = struct.Struct("<I")
_ENTRY = struct.Struct("<H")


class FlatBuffer:
    """A buffer of bytes with a root table; `size` is the place behind its last byte."""

    def __init__(self, data: Memory) -> None:
        self.data = data
        self.size = len(data)
        self._lists: dict[int, tuple[int, ...]] = {}
        self._tables_left = min(TABLE_COUNT, self.size // REFERENCE_BYTES)
        self._numbers_left = min(NUMBER_COUNT, self.size)
        self._texts_left = min(TEXTS_BYTES, self.size)

    @property
    def identifier(self) -> bytes:
        """The four bytes that tell which schema the buffer follows."""
        return self.data[4:8]

    def root(self) -> Table:
        """The table that the buffer begins with."""
        if self.size < 8:
            raise FormatError("the file ends before its first table", got=f"{self.size} bytes")
        return self.table_at(self.unsigned(0))

    def table_at(self, place: int) -> Table:
        """Enter the table at `place`; its list of fields must lie in the file, as must its fields."""
        self.expect(1)
        self._tables_left -= 1
        if place + 4 > self.size:
            raise self.outside(place, 4)
        listed = place - _SIGNED.unpack_from(self.data, place)[0]
        entries = self._lists.get(listed) or self._list(listed)
        if place + entries[1] > self.size:
            raise self.outside(place, entries[1])
        return Table(self, place, entries)

    def expect(self, count: int) -> None:
        """Raise FormatError unless so many more tables may be entered."""
        if count > self._tables_left:
            raise FormatError("the file refers to more tables than there is room for in it")

    def _list(self, listed: int) -> tuple[int, ...]:
        """A list of fields: its own size, that of a table, the place of each field in a table.

        Tables of one kind share their list.
        """
        self.check(listed, 4)
        size = _ENTRY.unpack_from(self.data, listed)[0]
        if size < 4 or size % 2:
            raise FormatError("a table has an impossible list of fields", where=f"byte {listed}")
        self.check(listed, size)
        count = min(size // 2, FIELD_COUNT + 2)
        entries = struct.unpack_from(f"<{count}H", self.data, listed)
        if entries[1] < 4:
            raise FormatError("a table has an impossible list of fields", where=f"byte {listed}")
        self._lists[listed] = entries
        return entries

    def unsigned(self, place: int) -> int:
        """The number of four bytes at `place`, which is known to lie in the file."""
        return int(_UNSIGNED.unpack_from(self.data, place)[0])

    def vector(self, place: int, width: int) -> tuple[int, int]:
        """The vector at `place`: where its elements begin, and how many of `width` bytes it has."""
        begin = place + 4
        if begin > self.size:
            raise self.outside(place, 4)
        count = self.unsigned(place)
        if begin + count * width > self.size:
            raise self.outside(begin, count * width)
        return begin, count

    def numbers(self, place: int, count: int, code: str) -> tuple[int, ...]:
        """Numbers of one kind, as `struct` names it, that lie one behind the other."""
        self._numbers_left -= count
        if self._numbers_left < 0:
            raise FormatError("the file refers to more numbers than there is room for in it")
        return struct.unpack_from(f"<{count}{code}", self.data, place)

    def text(self, place: int, count: int) -> str:
        """The text of `count` bytes at `place`."""
        self._texts_left -= count
        if self._texts_left < 0:
            raise FormatError("the file refers to more text than there is room for in it")
        return self.data[place : place + count].decode("utf-8", "replace")

    def check(self, place: int, count: int) -> None:
        """Raise FormatError unless `count` bytes from `place` on lie in the file."""
        if place < 0 or place + count > self.size:
            raise self.outside(place, count)

    def outside(self, place: int, count: int) -> FormatError:
        """The error where `count` bytes from `place` on do not lie in the file."""
        return FormatError(
            "the file is cut off, or refers to a place outside of it",
            expected=f"places from 0 to {self.size}",
            got=f"{count} bytes from byte {place}",
            hint="download the file again",
        )


class Table:
    """One table; its fields are asked for by their number in the schema, counted from 0."""

    __slots__ = ("_entries", "_place", "buffer")

    def __init__(self, buffer: FlatBuffer, place: int, entries: tuple[int, ...]) -> None:
        self.buffer = buffer
        self._place = place
        self._entries = entries

    def number(self, field: int, code: str, default: int = 0) -> int:
        """A number of the kind that `struct` names by `code`; `default` where it is not stored."""
        kind = _NUMBERS[code]
        place = self._field(field, kind.size)
        return int(kind.unpack_from(self.buffer.data, place)[0]) if place else default

    def table(self, field: int) -> Table | None:
        """The table that a field refers to."""
        place = self._field(field, 4)
        return self.buffer.table_at(place + self.buffer.unsigned(place)) if place else None

    def tables(self, field: int) -> Iterator[Table]:
        """The tables of a vector, one after the other."""
        buffer = self.buffer
        begin, count = self.span(field, 4)
        buffer.expect(count)
        for place in range(begin, begin + 4 * count, 4):
            yield buffer.table_at(place + buffer.unsigned(place))

    def numbers(self, field: int, code: str, limit: int) -> tuple[int, ...]:
        """A vector of at most `limit` numbers; none where it is not stored."""
        begin, count = self.span(field, _NUMBERS[code].size)
        if count > limit:
            raise FormatError(
                "a list in the file has more numbers than any real model's",
                expected=f"at most {limit}",
                got=str(count),
            )
        return self.buffer.numbers(begin, count, code)

    def span(self, field: int, width: int = 1) -> tuple[int, int]:
        """Where a vector's elements begin, and how many it has; (0, 0) where it is not stored."""
        place = self._field(field, 4)
        buffer = self.buffer
        return buffer.vector(place + buffer.unsigned(place), width) if place else (0, 0)

    def text(self, field: int, limit: int = TEXT_BYTES) -> str:
        """A text, cut at `limit` bytes; empty where it is not stored."""
        begin, count = self.span(field)
        return self.buffer.text(begin, min(count, limit))

    def _field(self, field: int, width: int) -> int:
        """Where a field's own bytes lie; 0 where it is not stored."""
        entries = self._entries
        offset = entries[field + 2] if field + 2 < len(entries) else 0
        if offset == 0:
            return 0
        if offset < 4 or offset + width > entries[1]:
            raise FormatError("a field lies outside of its table", where=f"byte {self._place}")
        return self._place + offset


_STRING, _VECTOR = 5, 10


def flex_texts(data: bytes, limit: int) -> tuple[bytes, ...] | None:
    """The byte strings of a FlexBuffer whose root is a vector of at most `limit` texts.

    None where it is anything else. FlexBuffers are written backwards: the root's type and width
    stand at the end, offsets lead backwards, and a length stands before what it measures.
    """
    if len(data) < 3 or data[-1] not in {1, 2, 4, 8}:
        return None
    root, kind, width = len(data) - 2 - data[-1], data[-2] >> 2, 1 << (data[-2] & 3)
    begin = _back(data, root, data[-1])
    count = _length(data, begin, width)
    types = begin + count * width
    if kind != _VECTOR or not 0 < count <= limit or types + count > len(data):
        return None
    found = []
    for place, packed in enumerate(data[types : types + count]):
        text = _back(data, begin + place * width, width)
        size = _length(data, text, 1 << (packed & 3))
        if packed >> 2 != _STRING or size < 0 or text + size > len(data):
            return None
        found.append(data[text : text + size])
    return tuple(found)


def _back(data: bytes, place: int, width: int) -> int:
    """Where the offset at `place` leads; -1 where it leads nowhere."""
    if place < 0:
        return -1
    return max(place - int.from_bytes(data[place : place + width], "little"), -1)


def _length(data: bytes, place: int, width: int) -> int:
    """The length that stands before `place`; -1 where it cannot."""
    return int.from_bytes(data[place - width : place], "little") if place >= width else -1
