"""The protobuf wire format, read in place: fields are spans, and what is not asked for is skipped.

Source: the encoding page of the Protocol Buffers documentation. Iterative and bounded; the bytes
of a length-delimited field are only touched when `Wire.text` or `Wire.inside` asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, overload

from modelshelf.errors import FormatError

FIELD_COUNT = 4_000_000
"""Fields read from one file at most: some seconds of work, ten times the largest models."""
TEXT_BYTES = 65_536
"""The longest name; longer texts (documentation) are cut."""

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5


class Bytes(Protocol):
    """Memory that can be looked into: `bytes`, `mmap`."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...


class Field(NamedTuple):
    """One field: `value` of a varint; `start` and `end` of a delimited field's bytes."""

    number: int
    wire: int
    value: int
    start: int
    end: int


class Wire:
    """A protobuf file. `fields` walks one message; nested messages are spans to walk again."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self._left = FIELD_COUNT

    def __len__(self) -> int:
        return len(self._data)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message that lies from `start` to `end`, in their order.

        Nearly all of them have a tag and a length of one byte: these take the short way.
        """
        data = self._data
        at = start
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise FormatError(f"the file has more than {FIELD_COUNT} fields")
            tag = data[at]
            at += 1
            if tag >= 0x80:
                tag, at = self.varint(at - 1, end)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise FormatError("a protobuf field has the number 0", where=f"byte {at}")
            if wire == DELIMITED and at < end and data[at] < 0x80:
                begin = at + 1
                at = begin + data[at]
                if at > end:
                    raise _too_long(begin, end, at)
                yield Field(number, wire, 0, begin, at)
            else:
                field, at = self._field(number, wire, at, end)
                yield field

    def text(self, field: Field, limit: int = TEXT_BYTES) -> str:
        """The field's text; cut at `limit` bytes."""
        raw = self.raw(field, limit)
        cut = field.end - field.start > limit
        try:
            return raw.decode("utf-8", "ignore" if cut else "strict")
        except UnicodeDecodeError as error:
            raise FormatError("a name is not UTF-8", where=f"byte {field.start}") from error

    def raw(self, field: Field, limit: int = TEXT_BYTES) -> bytes:
        """The field's bytes; cut at `limit`."""
        if field.wire != DELIMITED:
            raise _misfit(field)
        return self._data[field.start : min(field.end, field.start + limit)]

    def inside(self, field: Field) -> Iterator[Field]:
        """The fields of the message that `field` holds."""
        if field.wire != DELIMITED:
            raise _misfit(field)
        return self.fields(field.start, field.end)

    def numbers(self, field: Field, limit: int) -> list[int]:
        """A repeated integer field: one value, or a packed run of at most `limit`; signed."""
        if field.wire == VARINT:
            return [signed(field.value)]
        if field.wire != DELIMITED:
            raise _misfit(field)
        found: list[int] = []
        at = field.start
        while at < field.end:
            self._spend()
            value, at = self.varint(at, field.end)
            found.append(signed(value))
            if len(found) > limit:
                raise FormatError("a list of numbers is too long", expected=f"at most {limit}")
        return found

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """The varint at `at` (unsigned, 64 bits) and the place after it."""
        value = shift = 0
        while at < end:
            byte = self._data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
            shift += 7
            if shift > 63:
                raise FormatError("a protobuf number has more than ten bytes", where=f"byte {at}")
        raise FormatError("a protobuf number is cut off", where=f"byte {at}")

    def _field(self, number: int, wire: int, at: int, end: int) -> tuple[Field, int]:
        value = 0
        start = at
        if wire == VARINT:
            value, at = self.varint(at, end)
        elif wire == DELIMITED:
            length, start = self.varint(at, end)
            at = start + length
        elif wire in {FIXED64, FIXED32}:
            at += 8 if wire == FIXED64 else 4
        else:
            raise FormatError(
                "a protobuf field has a wire type that does not exist",
                where=f"byte {at}",
                got=wire,
            )
        if at > end:
            raise _too_long(start, end, at)
        return Field(number, wire, value, start, at), at

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise FormatError(f"the file has more than {FIELD_COUNT} fields")


def signed(value: int) -> int:
    """A 64-bit varint read as int64."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _too_long(start: int, end: int, at: int) -> FormatError:
    return FormatError(
        "a protobuf field is longer than what holds it",
        where=f"byte {start}",
        expected=f"at most {end - start} bytes",
        got=f"{at - start} bytes",
        hint="the file is cut off, or not of this format",
    )


def _misfit(field: Field) -> FormatError:
    return FormatError(
        f"field {field.number} has the wrong wire type",
        where=f"byte {field.start}",
        got=field.wire,
        hint="the file is damaged, or not of this format",
    )
