"""FlatBuffers, honest ones and those that lead a reader astray."""

from __future__ import annotations

import struct

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats.flatbuffer import FlatBuffer, Table, flex_texts
from tests.formats.flatbuffer_made import flex, made

GOOD = made({0: ("I", 7), 2: "name", 3: {0: ("b", -3)}, 4: [{}, {1: "x"}], 5: ("i", [1, -1])})


def test_every_kind_of_field() -> None:
    root = FlatBuffer(GOOD).root()
    inner = root.table(3)
    assert inner is not None
    assert (root.number(0, "I"), inner.number(0, "b"), root.text(2)) == (7, -3, "name")
    assert [each.text(1) for each in root.tables(4)] == ["", "x"]
    assert root.numbers(5, "i", 2) == (1, -1)


def test_fields_that_are_not_stored() -> None:
    root = FlatBuffer(GOOD).root()
    assert (root.number(1, "I", 5), root.number(99, "I", 6)) == (5, 6)
    assert (root.table(1), root.text(1), root.numbers(9, "i", 9)) == (None, "", ())
    assert list(root.tables(9)) == []


def everything(root: Table) -> None:
    """Ask for each field as what it is."""
    root.number(0, "I")
    root.text(2)
    root.table(3)
    list(root.tables(4))
    root.numbers(5, "i", 1000)


ROOT = struct.unpack_from("<I", GOOD)[0]
LISTED = ROOT - struct.unpack_from("<i", GOOD, ROOT)[0]
HUGE = struct.pack("<I", 1 << 31)


def patched(place: int, raw: bytes) -> bytes:
    return GOOD[:place] + raw + GOOD[place + len(raw) :]


def field(number: int) -> int:
    """Where a field of the root lies."""
    return int(ROOT + struct.unpack_from("<H", GOOD, LISTED + 4 + 2 * number)[0])


def target(number: int) -> int:
    """Where a field of the root leads."""
    return field(number) + int(struct.unpack_from("<I", GOOD, field(number))[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "before its first table"),
        (GOOD[:7], "before its first table"),
        (GOOD[:12], "outside of it"),
        (patched(0, HUGE), "outside of it"),
        (patched(0, b"\xff\xff\xff\xff"), "outside of it"),
        (patched(ROOT, struct.pack("<i", -(1 << 31))), "outside of it"),
        (patched(ROOT, struct.pack("<i", (1 << 31) - 1)), "outside of it"),
        (patched(ROOT, struct.pack("<i", 0)), "impossible list"),
        (patched(LISTED, b"\xff\xff"), "impossible list"),
        (patched(LISTED, b"\xfe\xff"), "outside of it"),
        (patched(LISTED, b"\0\0"), "impossible list"),
        (patched(LISTED + 2, b"\xff\xff"), "outside of it"),
        (patched(LISTED + 2, b"\4\0"), "outside of its table"),
        (patched(LISTED + 4, b"\1\0"), "outside of its table"),
        (patched(LISTED + 4, b"\xff\x0f"), "outside of its table"),
        (patched(field(2), HUGE), "outside of it"),
        (patched(target(2), HUGE), "outside of it"),
        (patched(target(4), HUGE), "outside of it"),
        (patched(target(5), HUGE), "outside of it"),
        (patched(target(4) + 4, HUGE), "outside of it"),
        (patched(target(5), struct.pack("<I", 1001)) + bytes(9999), "more numbers than any real"),
    ],
)
def test_what_leads_astray(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        everything(FlatBuffer(content).root())


def descend(table: Table | None) -> None:
    """Follow the first field as long as there is one."""
    while table:
        table = table.table(0)


def test_tables_that_contain_themselves_end() -> None:
    content = bytearray(made({0: {}}))
    place = struct.unpack_from("<I", content)[0] + 4
    struct.pack_into("<I", content, place, 0)  # what refers to a table is read as one
    with pytest.raises(FormatError):
        descend(FlatBuffer(bytes(content)).root())


def pairs(root: Table) -> int:
    """How many tables the tables of a list hold together."""
    return sum(1 for outer in root.tables(0) for _ in outer.tables(0))


@pytest.mark.parametrize("count", [20, 2000])
def test_one_table_that_is_referred_to_many_times(count: int) -> None:
    """The work must not be the product of two lengths."""
    content = bytearray(made({0: [{0: [{}] * count}, *([{}] * (count - 1))]}))
    assert pairs(FlatBuffer(bytes(content)).root()) == count
    at = struct.unpack_from("<I", content)[0] + 4
    vector = at + struct.unpack_from("<I", content, at)[0] + 4
    first = vector + struct.unpack_from("<I", content, vector)[0]
    for place in range(vector, vector + 4 * count, 4):
        struct.pack_into("<I", content, place, first - place)
    with pytest.raises(FormatError, match="more tables than there is room"):
        pairs(FlatBuffer(bytes(content)).root())


def test_a_text_is_cut_where_it_is_too_long() -> None:
    assert FlatBuffer(made({0: "x" * 100})).root().text(0, 5) == "xxxxx"


@pytest.mark.parametrize("texts", [(b"Roll", b"\x12\x04Roll"), (b"", b""), (b"x" * 300,)])
def test_flexbuffers(texts: tuple[bytes, ...]) -> None:
    assert flex_texts(flex(*texts), 2) == texts


FLEX = flex(b"name", b"node")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        flex(b"a", b"b", b"c"),
        FLEX[:-1],
        FLEX[:-1] + b"\3",
        FLEX[:-1] + b"\x08",
        FLEX[:-2] + b"\x29\4",
        FLEX[:-6] + HUGE + FLEX[-2:],
        FLEX[:-6] + b"\0\0\0\0" + FLEX[-2:],
        HUGE + FLEX[4:],
        FLEX[-10:],
    ],
)
def test_flexbuffers_that_are_something_else(content: bytes) -> None:
    assert flex_texts(content, 2) is None
