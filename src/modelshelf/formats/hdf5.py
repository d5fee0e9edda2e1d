"""HDF5 looked at without its library: the datasets of a file, where they lie, and text attributes.

Source: the HDF5 File Format Specification, version 3.0. What h5py writes is read (superblocks 0
to 3, both layouts of groups, contiguous and compact data); what else a file may hold is skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelshelf.errors import FormatError
from modelshelf.formats.hdf5_groups import Bytes, Links, Reader
from modelshelf.formats.hdf5_groups import links as links_of
from modelshelf.package.signature import element_count

SIGNATURE = b"\x89HDF\r\n\x1a\n"
OBJECT_COUNT = 200_000
RANK = 32
TEXT_BYTES = 16 * 1024 * 1024
MESSAGE_COUNT = 1_000_000
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF

_CONTINUED = 0x10


@dataclass(frozen=True)
class Dataset:
    """An array of the file: its path, dtype, shape, and where its bytes are, if in one piece."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: tuple[int, int] | None


@dataclass
class Hdf5:
    """What a walk through the file found; `attributes` are the root's texts by name.

    `elsewhere` names objects that would be read from another file.
    """

    datasets: list[Dataset] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


@dataclass
class _Object:
    """The messages of one object header that matter here."""

    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    place: tuple[int, int] | None = None
    links: Links = field(default_factory=Links)
    attributes: dict[str, str] = field(default_factory=dict)
    is_elsewhere: bool = False


def inspect(data: Bytes) -> Hdf5:
    """Every dataset of the file, by its path; raises FormatError where the file is not well formed."""
    reader = Reader(data)
    found = Hdf5()
    pending = [("", _root(reader))]
    seen: set[int] = set()
    while pending:
        name, address = pending.pop()
        if address in seen:
            continue
        seen.add(address)
        if len(seen) > OBJECT_COUNT:
            raise FormatError(f"the file has more than {OBJECT_COUNT} objects")
        each = _object(reader, address)
        if not name:
            found.attributes = each.attributes
        found.elsewhere += [name] if each.is_elsewhere else []
        if each.dtype is not None and each.shape is not None:
            found.datasets.append(_dataset(reader, name, each))
        children = list(links_of(reader, each.links))
        found.elsewhere += [f"{name}/{link}" for link in each.links.elsewhere]
        pending += [(f"{name}/{child}" if name else child, at) for child, at in reversed(children)]
    return found


def _dataset(reader: Reader, name: str, each: _Object) -> Dataset:
    assert each.dtype is not None
    assert each.shape is not None
    if each.place is not None and each.place[1] > len(reader):
        raise FormatError(
            f"the data of {name[:80]!r} is cut off",
            expected=f"at least {each.place[1]} bytes",
            got=f"{len(reader)} bytes",
        )
    return Dataset(name, each.dtype, each.shape, each.place)


def _root(reader: Reader) -> int:
    """The address of the root group's object header (section II.A)."""
    if reader.at(0, 8) != SIGNATURE:
        raise FormatError("there is no HDF5 file", expected="its signature at the beginning")
    version = reader.number(8, 1)
    if version in {0, 1}:
        sizes, entry = (13, 14), 24 + (4 if version else 0) + 32
    elif version in {2, 3}:
        sizes, entry = (9, 10), 28
    else:
        raise FormatError("the HDF5 superblock is of an unknown version", got=version)
    if [reader.number(at, 1) for at in sizes] != [8, 8]:
        raise FormatError("the HDF5 file does not use 64-bit addresses")
    return reader.number(entry + 8, 8)


def _object(reader: Reader, address: int) -> _Object:
    found = _Object()
    for kind, start, size in _messages(reader, address):
        match kind:  # numbers of section IV.A.2
            case 0x01:
                found.shape = _space(reader, start)
            case 0x03:
                found.dtype = _type(reader, start)
            case 0x08:
                found.place = _layout(reader, start)
            case 0x02:
                found.links.dense(reader, start)
            case 0x06:
                found.links.add(reader, start, size)
            case 0x07:  # data in files of its own
                found.is_elsewhere = True
            case 0x11:
                found.links.symbols = (reader.number(start, 8), reader.number(start + 8, 8))
            case 0x0C:
                found.attributes |= _attribute(reader, start, size)
    return found


def _messages(reader: Reader, address: int) -> Iterator[tuple[int, int, int]]:
    """(type, first byte, size) of each message of an object header, versions 1 and 2."""
    modern = reader.at(address, 4) == b"OHDR"
    blocks = [_first_block(reader, address, modern=modern)]
    ordered = modern and bool(reader.number(address + 5, 1) & 0x04)
    count = 0
    for begin, end in blocks:
        at = begin
        while at + (4 if modern else 8) <= end:
            count += 1
            if count > MESSAGE_COUNT or len(blocks) > MESSAGE_COUNT:
                raise FormatError("an object of the HDF5 file has too many messages")
            if modern:
                kind, size = reader.number(at, 1), reader.number(at + 1, 2)
                start = at + 4 + (2 if ordered else 0)
            else:
                kind, size, start = reader.number(at, 2), reader.number(at + 2, 2), at + 8
            if start + size > end:
                raise FormatError("a message of the HDF5 file is cut off", where=f"byte {at}")
            if kind == _CONTINUED:
                blocks.append(_next_block(reader, start, modern=modern))
            else:
                yield kind, start, size
            at = start + size


def _first_block(reader: Reader, address: int, *, modern: bool) -> tuple[int, int]:
    if not modern:
        if reader.number(address, 1) != 1:
            raise FormatError(
                "there is no object where the HDF5 file says", where=f"byte {address}"
            )
        return address + 16, address + 16 + reader.number(address + 8, 4)
    flags = reader.number(address + 5, 1)
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    return at + width, at + width + reader.number(at, width)


def _next_block(reader: Reader, start: int, *, modern: bool) -> tuple[int, int]:
    at, size = reader.number(start, 8), reader.number(start + 8, 8)
    return (at + 4, at + size - 4) if modern else (at, at + size)


def _space(reader: Reader, start: int) -> tuple[int, ...] | None:
    """The dataspace message: sizes, outermost first; None for the null space."""
    version, rank = reader.number(start, 1), reader.number(start + 1, 1)
    if rank > RANK or version not in {1, 2}:
        raise FormatError("an HDF5 dataspace cannot be", got=f"version {version}, rank {rank}")
    if version == 2 and reader.number(start + 3, 1) == 2:
        return None
    at = start + (8 if version == 1 else 4)
    return struct.unpack(f"<{rank}Q", reader.at(at, 8 * rank))


def _type(reader: Reader, start: int) -> str:
    """The datatype message as a word: `float32`, `int64`, `string`, `bool`, or its class."""
    kind, size = reader.number(start, 1) & 0x0F, reader.number(start + 4, 4)
    if kind == 0:
        signed = reader.number(start + 1, 1) & 0x08
        return f"{'int' if signed else 'uint'}{size * 8}"
    if kind == 1:
        exponent = reader.number(start + 13, 1)
        return "bfloat16" if (size, exponent) == (2, 8) else f"float{size * 8}"
    names = {2: "time", 3: "string", 4: "bits", 5: "opaque", 6: "compound", 7: "reference",
             8: "bool", 9: "string", 10: "array"}  # fmt: skip
    return names.get(kind, "unknown")


def _layout(reader: Reader, start: int) -> tuple[int, int] | None:
    """Where contiguous or compact data lies; None for chunks and for data that was never written."""
    version, kind = reader.number(start, 1), reader.number(start + 1, 1)
    if version not in {3, 4}:
        return None
    if kind == 0:
        return start + 4, start + 4 + reader.number(start + 2, 2)
    if kind != 1:
        return None
    at, size = reader.number(start + 2, 8), reader.number(start + 10, 8)
    return None if at == UNDEFINED else (at, at + size)


def _attribute(reader: Reader, start: int, size: int) -> dict[str, str]:
    """A text attribute, as Keras keeps its configuration; others are left out."""
    version = reader.number(start, 1)
    if version not in {1, 2, 3}:
        return {}
    lengths = [reader.number(start + at, 2) for at in (2, 4, 6)]
    at = start + (9 if version == 3 else 8)
    if version == 1:
        lengths = [-(-length // 8) * 8 for length in lengths]
    name = reader.at(at, lengths[0]).split(b"\0")[0].decode("utf-8", "replace")
    kind = reader.number(at + lengths[0], 1) & 0x0F
    is_text = kind == 3 or (kind == 9 and reader.number(at + lengths[0] + 1, 1) & 0x0F == 1)
    begin = at + sum(lengths)
    if not is_text or begin > start + size:
        return {}
    raw = reader.at(begin, start + size - begin) if kind == 3 else _long_text(reader, begin)
    return {name: raw.rstrip(b"\0").decode("utf-8", "replace")}


def _long_text(reader: Reader, start: int) -> bytes:
    """A text of variable length, which lies in a global heap (section III.E)."""
    length, heap = reader.number(start, 4), reader.number(start + 4, 8)
    wanted = reader.number(start + 12, 4)
    reader.node(heap, b"GCOL")
    at, end = heap + 16, heap + reader.number(heap + 8, 8)
    while at + 16 <= end:
        index, size = reader.number(at, 2), reader.number(at + 8, 8)
        if index == wanted:
            return reader.at(at + 16, min(length, size, TEXT_BYTES))
        if index == 0:
            break
        at += 16 + -(-size // 8) * 8
    raise FormatError("a text of the HDF5 file is not where it says", where=f"byte {heap}")


def value_count(datasets: list[Dataset]) -> int:
    """How many values the datasets have together."""
    return sum(element_count(each.shape) for each in datasets)
