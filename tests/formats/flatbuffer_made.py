"""FlatBuffers put together by hand, so that their readers meet what no writer would write.

A table is a dict by number of field; its values are numbers with their kind (`("I", 7)`), texts,
bytes, tables, lists of tables, or numbers of one kind in a list (`("i", [1, 2])`).
"""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, Any]


def made(root: Fields, identifier: bytes = b"TFL3") -> bytes:
    """A buffer with this root; parents stand before their children."""
    data = bytearray(8)
    data[4:8] = identifier
    _refer(data, 0, root)
    return bytes(data)


def _refer(data: bytearray, place: int, value: Any) -> None:
    """Write `value` at the end, and at `place` the offset that leads to it."""
    write = _table if isinstance(value, dict) else _vector
    struct.pack_into("<I", data, place, write(data, value) - place)


def _table(data: bytearray, fields: Fields) -> int:
    """First the list of fields, then the fields, eight bytes for each."""
    listed = len(data)
    count = max(fields, default=-1) + 1
    places = {number: 4 + 8 * index for index, number in enumerate(sorted(fields))}
    entries = [places.get(number, 0) for number in range(count)]
    data += struct.pack(f"<HH{count}H", 4 + 2 * count, 4 + 8 * len(fields), *entries)
    begin = len(data)
    data += struct.pack("<i", begin - listed) + bytes(8 * len(fields))
    for number, value in fields.items():
        place = begin + places[number]
        if isinstance(value, tuple) and not isinstance(value[1], list):
            struct.pack_into(f"<{value[0]}", data, place, value[1])
        else:
            _refer(data, place, value)
    return begin


def _vector(data: bytearray, value: Any) -> int:
    begin = len(data)
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        data += struct.pack("<I", len(raw)) + raw + b"\0"
    elif isinstance(value, tuple):
        code, numbers = value
        data += struct.pack(f"<I{len(numbers)}{code}", len(numbers), *numbers)
    else:
        data += struct.pack("<I", len(value)) + bytes(4 * len(value))
        for index, each in enumerate(value):
            _refer(data, begin + 4 + 4 * index, each)
    return begin


def flex(*texts: bytes) -> bytes:
    """A FlexBuffer that is a vector of texts, four bytes wide."""
    data = bytearray()
    places = []
    for text in texts:
        data += struct.pack("<I", len(text))
        places.append(len(data))
        data += text + b"\0"
    data += struct.pack("<I", len(texts))
    vector = len(data)
    for place in places:
        data += struct.pack("<I", len(data) - place)
    data += bytes([5 << 2 | 2] * len(texts))
    return bytes(data + struct.pack("<I", len(data) - vector) + bytes([10 << 2 | 2, 4]))
