"""The links of HDF5 groups: symbol tables, link messages, and heaps of many links.

Source: the HDF5 File Format Specification, version 3.0, sections III and IV.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, overload

from modelshelf.errors import FormatError

NODE_COUNT = 100_000
NAME_BYTES = 4096
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF


class Bytes(Protocol):
    """Memory that can be looked into: `bytes`, `mmap`."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...


class Reader:
    """Bytes and little-endian numbers at places of the file; beyond its end is a FormatError."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self.nodes = 0

    def __len__(self) -> int:
        return len(self._data)

    def at(self, place: int, count: int) -> bytes:
        """`count` bytes from `place`."""
        if place < 0 or place + count > len(self._data):
            raise FormatError(
                "the HDF5 file points beyond its end",
                where=f"byte {place}",
                hint="the file is cut off: download or save it again",
            )
        return self._data[place : place + count]

    def number(self, place: int, width: int) -> int:
        """The unsigned number of `width` bytes at `place`."""
        return int.from_bytes(self.at(place, width), "little")

    def node(self, place: int, signature: bytes) -> None:
        """Check that a structure is where it should be; counts, so that loops come to an end."""
        self.nodes += 1
        if self.nodes > NODE_COUNT:
            raise FormatError("the HDF5 file has more nodes than any model needs, or a loop")
        found = self.at(place, 4)
        if found != signature:
            raise FormatError(
                "a node of the HDF5 file is not what points to it says",
                where=f"byte {place}",
                expected=signature.decode(),
                got=repr(found),
            )


@dataclass
class Links:
    """How a group keeps its links; `direct` are (name, address) of those in its header.

    `elsewhere` are names of links that lead to another file.
    """

    direct: list[tuple[str, int]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    symbols: tuple[int, int] | None = None
    heap: int = UNDEFINED
    index: int = UNDEFINED

    def dense(self, reader: Reader, start: int) -> None:
        """Read a link info message: where a group with many links keeps them."""
        at = start + 2 + (8 if reader.number(start + 1, 1) & 1 else 0)
        self.heap, self.index = reader.number(at, 8), reader.number(at + 8, 8)

    def add(self, reader: Reader, start: int, size: int) -> None:
        """Read a link message; soft links lead to what is found anyway and are left out."""
        kind, name, address = _link(reader, start, size)
        if kind == 0:
            self.direct.append((name, address))
        elif kind != 1:
            self.elsewhere.append(name)


def links(reader: Reader, of: Links) -> Iterator[tuple[str, int]]:
    """Name and address of each object in a group."""
    yield from of.direct
    if of.symbols is not None:
        yield from _symbols(reader, *of.symbols)
    if UNDEFINED not in {of.heap, of.index}:
        for kind, name, address in _dense(reader, of.heap, of.index):
            if kind == 0:
                yield name, address
            elif kind != 1:
                of.elsewhere.append(name)


def _link(reader: Reader, start: int, size: int) -> tuple[int, str, int]:
    """Kind (0 hard, 1 soft, 64 and more to elsewhere), name and address of a link message."""
    flags = reader.number(start + 1, 1)
    at = start + 2
    kind = reader.number(at, 1) if flags & 0x08 else 0
    at += (1 if flags & 0x08 else 0) + (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = reader.number(at, width)
    if length > min(NAME_BYTES, size):
        raise FormatError("a name in the HDF5 file is too long", got=f"{length} bytes")
    name = reader.at(at + width, length).decode("utf-8", "replace")
    return kind, name, 0 if kind else reader.number(at + width + length, 8)


def _symbols(reader: Reader, tree: int, heap: int) -> Iterator[tuple[str, int]]:
    """A group in the old layout: a B-tree of tables, names in a local heap."""
    reader.node(heap, b"HEAP")
    size, names = reader.number(heap + 8, 8), reader.number(heap + 24, 8)
    pending = [tree]
    while pending:
        place = pending.pop()
        if reader.at(place, 4) == b"SNOD":
            yield from _table(reader, place, names, size)
            continue
        reader.node(place, b"TREE")
        count = reader.number(place + 6, 2)
        pending += [reader.number(place + 32 + 16 * n, 8) for n in reversed(range(count))]


def _table(reader: Reader, place: int, names: int, size: int) -> Iterator[tuple[str, int]]:
    reader.node(place, b"SNOD")
    for number in range(reader.number(place + 6, 2)):
        entry = place + 8 + 40 * number
        offset = reader.number(entry, 8)
        if offset >= size:
            raise FormatError("a name in the HDF5 file lies outside its heap")
        raw = reader.at(names + offset, min(NAME_BYTES, size - offset))
        yield raw.split(b"\0")[0].decode("utf-8", "replace"), reader.number(entry + 8, 8)


def _dense(reader: Reader, heap: int, index: int) -> Iterator[tuple[int, str, int]]:
    """A group with many links: a B-tree (version 2) of identifiers in a fractal heap."""
    for identifier in _identifiers(reader, index):
        # Byte 0 is the kind (0: managed); then the offset in the heap and the length.
        if identifier[0] & 0x30:
            continue
        offset = int.from_bytes(identifier[1:5], "little")
        length = int.from_bytes(identifier[5:7], "little")
        yield _link(reader, _in_heap(reader, heap, offset), length)


def _identifiers(reader: Reader, index: int) -> Iterator[bytes]:
    """Heap identifiers from the records (hash, identifier) of a name index, type 5."""
    reader.node(index, b"BTHD")
    if reader.number(index + 5, 1) != 5:
        raise FormatError("the HDF5 file indexes its links in an unknown way")
    node_bytes, record = reader.number(index + 6, 4), reader.number(index + 10, 2)
    depth = reader.number(index + 12, 2)
    if record != 11 or not 32 <= node_bytes <= 1 << 20 or depth > 8:
        raise FormatError("the HDF5 file's index of links cannot be")
    widths = _widths(node_bytes, record, depth)
    pending = [(reader.number(index + 16, 8), reader.number(index + 24, 2), depth)]
    while pending:
        place, count, level = pending.pop()
        reader.node(place, b"BTIN" if level else b"BTLF")
        for number in range(count):
            yield reader.at(place + 6 + record * number + 4, 7)
        at = place + 6 + record * count
        for _ in range(count + 1 if level else 0):
            width, total = widths[level]
            child, records = reader.number(at, 8), reader.number(at + 8, width)
            pending.append((child, records, level - 1))
            at += 8 + width + total


def _widths(node_bytes: int, record: int, depth: int) -> list[tuple[int, int]]:
    """For each level, bytes of a child's count of records and of its total (section III.A.2)."""
    most = (node_bytes - 10) // record
    total = most
    found = [(0, 0)]
    for level in range(1, depth + 1):
        count_width = _byte_width(most)
        total_width = _byte_width(total) if level > 1 else 0
        found.append((count_width, total_width))
        most = (node_bytes - 10 - 8 - count_width - total_width) // (
            record + 8 + count_width + total_width
        )
        total = most * total + most + total
    return found


def _byte_width(most: int) -> int:
    return max(1, -(-most.bit_length() // 8))


def _in_heap(reader: Reader, heap: int, offset: int) -> int:
    """Where a managed object lies in the file (section III.G): blocks by a doubling table."""
    reader.node(heap, b"FRHP")
    width = reader.number(heap + 110, 2)
    start, largest = reader.number(heap + 112, 8), reader.number(heap + 120, 8)
    root, rows = reader.number(heap + 132, 8), reader.number(heap + 140, 2)
    if not (0 < width <= 1024 and 0 < start <= largest <= 1 << 32 and rows <= 64):
        raise FormatError("a heap of the HDF5 file cannot be")
    if rows == 0:
        return root + offset
    reader.node(root, b"FHIB")
    header = 5 + 8 + (reader.number(heap + 128, 2) + 7) // 8
    begin = 0
    for row in range(rows):
        size = start << max(0, row - 1)
        if size > largest:
            break
        if offset < begin + size * width:
            column = (offset - begin) // size
            entry = root + header + 8 * (row * width + column)
            return reader.number(entry, 8) + (offset - begin) % size
        begin += size * width
    raise FormatError("a name in the HDF5 file lies in a heap of heaps, deeper than any model's")
