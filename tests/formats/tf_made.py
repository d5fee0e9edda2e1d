"""TensorFlow's messages and tables written by hand, field by field, so that harm can be made too."""

from __future__ import annotations

import struct

from modelshelf.formats.sstable import MAGIC, crc32c, masked

FLOAT, INT64, STRING = 1, 9, 7


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def message(field: int, *parts: bytes | str) -> bytes:
    content = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


def entry(field: int, key: str, *value: bytes) -> bytes:
    """One pair of a map."""
    return message(field, message(1, key), message(2, *value))


def shape(*sizes: int) -> bytes:
    return b"".join(message(2, number(1, size)) for size in sizes)


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    return (
        message(1, name)
        + message(2, op)
        + b"".join(message(3, each) for each in inputs)
        + b"".join(entry(5, key, value) for key, value in attributes.items())
    )


def text(value: str) -> bytes:
    """An attribute."""
    return message(2, value)


def function(name: str) -> bytes:
    """An attribute that names a function."""
    return message(10, message(1, name))


def constant(name: str, value: str) -> bytes:
    tensor = number(1, STRING) + message(8, value)
    return node(name, "Const", dtype=number(6, STRING), value=message(8, tensor))


def body(name: str, arguments: list[str], *nodes: bytes) -> bytes:
    """A FunctionDef."""
    signature = message(1, name) + b"".join(message(2, message(1, each)) for each in arguments)
    return message(1, signature) + b"".join(message(3, each) for each in nodes)


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    library = message(2, *(message(1, each) for each in functions)) if functions else b""
    return b"".join(message(1, each) for each in nodes) + library


def tensor_info(dtype: int, *sizes: int) -> bytes:
    return message(1, "x:0") + number(2, dtype) + message(3, shape(*sizes))


def signature(name: str, inputs: dict[str, bytes], outputs: dict[str, bytes]) -> bytes:
    sides = (entry(1, key, value) for key, value in inputs.items())
    others = (entry(2, key, value) for key, value in outputs.items())
    return entry(5, name, *sides, *others)


def saved_model(graph_def: bytes, *parts: bytes, tags: tuple[str, ...] = ("serve",)) -> bytes:
    """A SavedModel with one graph; `parts` are further fields of its MetaGraphDef."""
    info = message(1, *(message(4, tag) for tag in tags), message(5, "2.21.0"))
    return number(1, 1) + message(2, info, message(2, graph_def), *parts)


def saver(tensor: str) -> bytes:
    return message(3, message(1, tensor))


def asset(tensor: str, filename: str) -> bytes:
    return message(6, message(1, message(1, tensor)), message(2, filename))


def objects(*nodes: bytes, bound: dict[str, list[int]] | None = None) -> bytes:
    pairs = (
        entry(2, name, *(number(2, each) for each in ids)) for name, ids in (bound or {}).items()
    )
    return message(7, *(message(1, each) for each in nodes), *pairs)


Rows = list[tuple[bytes, bytes]]


def block(rows: Rows, *, restarts: int = 1, compression: int = 0) -> bytes:
    """A block with its trailer; keys share what they can with the one before."""
    content = b""
    before = b""
    for key, value in rows:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        before = key
    return sealed(content, restarts=restarts, compression=compression)


def sealed(content: bytes, *, restarts: int = 1, compression: int = 0) -> bytes:
    """A block's entries with its restarts, its kind and its checksum."""
    content += struct.pack("<I", 0) + struct.pack("<I", restarts) + bytes([compression])
    return content + struct.pack("<I", masked(crc32c(content)))


def table(*blocks: bytes, handles: list[tuple[int, int]] | None = None) -> bytes:
    """A whole table of blocks, or with an index that points to `handles` instead."""
    content = b""
    places = []
    for each in blocks:
        places.append((len(content), len(each) - 5))
        content += each
    rows = [
        (b"k%d" % at, varint(offset) + varint(size))
        for at, (offset, size) in enumerate(handles or places)
    ]
    meta = (len(content), len(block([])) - 5)
    content += block([])
    index = block(rows)
    place = (len(content), len(index) - 5)
    footer = b"".join(varint(value) for value in (*meta, *place))
    return content + index + footer.ljust(40, b"\0") + MAGIC


HEADER = (b"", number(1, 1) + message(3, number(1, 1)))
"""The first row of a checkpoint with one data file."""


def stored(dtype: int, sizes: tuple[int, ...], offset: int, size: int, shard: int = 0) -> bytes:
    """A BundleEntryProto."""
    return (
        number(1, dtype) + message(2, shape(*sizes)) + number(3, shard) + number(4, offset)
        + number(5, size)
    )  # fmt: skip


def checkpoint(rows: Rows) -> bytes:
    return table(block([HEADER, *rows]))
