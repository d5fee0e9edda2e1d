"""The reader of the protobuf wire format."""

from __future__ import annotations

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats.protobuf import Wire, signed


def test_fields_of_every_kind() -> None:
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x19" + bytes(8) + b"\x25" + bytes(4)
    fields = list(Wire(data).fields(0, len(data)))
    assert [(field.number, field.wire) for field in fields] == [(1, 0), (2, 2), (3, 1), (4, 5)]
    assert fields[0].value == 150
    assert Wire(data).text(fields[1]) == "hi"


def test_packed_and_single_numbers() -> None:
    data = b"\x0a\x03\x01\x96\x01\x08\x05"
    wire = Wire(data)
    assert [wire.numbers(field, 9) for field in wire.fields(0, len(data))] == [[1, 150], [5]]
    assert signed((1 << 64) - 1) == -1


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x08" + b"\xff" * 11, b"\x12\x05hi", b"\x0b", b"\x00\x00", b"\x19\x00"]
)
def test_what_breaks_the_wire_format(data: bytes) -> None:
    with pytest.raises(FormatError):
        list(Wire(data).fields(0, len(data)))


def test_a_name_that_is_not_text() -> None:
    wire = Wire(b"\x0a\x01\xff")
    with pytest.raises(FormatError, match="UTF-8"):
        wire.text(next(wire.fields(0, 3)))
