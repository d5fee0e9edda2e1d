"""Sorted string tables as LevelDB and TensorFlow's checkpoints write them: keys and values, in order.

Source: `table_format.md` of LevelDB and `tensorflow/core/lib/io/format.cc`. A file is blocks of
entries whose keys share prefixes, then a block that points to them, then 48 bytes that point to
that one. TensorFlow writes its checkpoints' tables without compression; a table with Snappy's is
refused, because no checkpoint of any release has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.protobuf import Bytes

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER_BYTES = 48
TABLE_BYTES = 256 * 1024 * 1024
"""The largest table: two million tensors."""
KEY_BYTES = 65_536
ENTRY_COUNT = 1_000_000
KEYS_BYTES = 64 * 1024 * 1024
"""What all keys may take together: each can repeat the one before it at no cost to the file."""
CHECKED_BYTES = 1024 * 1024
"""How much is checked against its checksum: that is done byte by byte, 1 MiB in 0.2 s."""

_TRAILER_BYTES = 5
_POLYNOMIAL = 0x82F63B78
"""CRC-32C (Castagnoli), reflected."""


class Handle(NamedTuple):
    """Where a block lies: its first byte and its size without the trailer."""

    offset: int
    size: int


class Table:
    """A table in memory that can be looked into. `checked` counts bytes whose checksum was right."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self.checked = 0
        self._keys_left = KEYS_BYTES
        self._end = len(data) - FOOTER_BYTES
        if self._end < 0 or data[self._end + 40 : len(data)] != MAGIC:
            raise FormatError(
                "the file does not end like a sorted string table",
                expected=f"48 bytes with the mark {MAGIC.hex()}",
                got=data[max(len(data) - 8, 0) : len(data)].hex() or "nothing",
                hint="the file is cut off, or no TensorFlow checkpoint index",
            )
        if len(data) > TABLE_BYTES:
            raise FormatError("the table is too large", expected=f"at most {TABLE_BYTES} bytes")

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key with its value, keys ascending."""
        _, at = self._handle(self._end, self._end + 40)
        index, _ = self._handle(at, self._end + 40)
        previous: bytes | None = None
        count = reached = 0
        for _, pointer in self._block(index):
            block = _handle_of(pointer)
            if block.offset != reached:
                raise FormatError(
                    "the table's blocks do not lie one behind the other",
                    where=f"byte {block.offset}",
                    expected=f"byte {reached}",
                )
            reached = block.offset + block.size + _TRAILER_BYTES
            for key, value in self._block(block):
                count += 1
                if count > ENTRY_COUNT:
                    raise FormatError(f"the table has more than {ENTRY_COUNT} entries")
                if previous is not None and key <= previous:
                    raise FormatError("the table's keys are not in order", got=repr(key[:80]))
                previous = key
                yield key, value

    def _handle(self, at: int, end: int) -> tuple[Handle, int]:
        offset, at = _varint(self._data, at, end)
        size, at = _varint(self._data, at, end)
        return Handle(offset, size), at

    def _block(self, handle: Handle) -> Iterator[tuple[bytes, bytes]]:
        """The entries of one block."""
        block = self._content(handle)
        restarts = int.from_bytes(block[-4:], "little")
        end = len(block) - 4 - 4 * restarts
        if end < 0:
            raise FormatError("a block of the table is damaged", where=f"byte {handle.offset}")
        at = 0
        key = b""
        while at < end:
            shared, at = _varint(block, at, end)
            own, at = _varint(block, at, end)
            length, at = _varint(block, at, end)
            if shared > len(key) or at + own + length > end or shared + own > KEY_BYTES:
                raise FormatError(
                    "an entry of the table is damaged",
                    where=f"byte {handle.offset + at}",
                    expected=f"a key of at most {KEY_BYTES} bytes and its value, inside the block",
                )
            key = key[:shared] + block[at : at + own]
            self._keys_left -= len(key)
            if self._keys_left < 0:
                raise FormatError(f"the table's keys take more than {KEYS_BYTES} bytes")
            yield key, block[at + own : at + own + length]
            at += own + length

    def _content(self, handle: Handle) -> bytes:
        end = handle.offset + handle.size
        if handle.size < 4 or end + _TRAILER_BYTES > self._end:
            raise FormatError(
                "the table points to a block outside itself",
                where=f"byte {handle.offset}",
                expected=f"the block's end before byte {self._end}",
                got=end,
            )
        block = self._data[handle.offset : end]
        trailer = self._data[end : end + _TRAILER_BYTES]
        if trailer[0]:
            raise FormatError(
                "the table is compressed, which TensorFlow does not do to checkpoints",
                where=f"byte {end}",
                expected="compression 0 (none)",
                got=trailer[0],
                hint="save the checkpoint again with tf.train.Checkpoint or tf.train.Saver",
            )
        if self.checked + handle.size <= CHECKED_BYTES:
            self._check(handle, block + trailer[:1], int.from_bytes(trailer[1:], "little"))
        return block

    def _check(self, handle: Handle, content: bytes, stored: int) -> None:
        computed = masked(crc32c(content))
        if computed != stored:
            raise FormatError(
                "a block of the table has another checksum than it should",
                where=f"byte {handle.offset}",
                expected=f"{stored:#010x}",
                got=f"{computed:#010x}",
                hint="the file is damaged; download or save it again",
            )
        self.checked += handle.size


def crc32c(content: bytes) -> int:
    """The CRC-32C of `content`, byte by byte."""
    value = 0xFFFF_FFFF
    for byte in content:
        value = _CRC[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFF_FFFF


def masked(crc: int) -> int:
    """As LevelDB stores a checksum, so that one of data with checksums in it stays random."""
    return (((crc >> 15) | (crc << 17)) + 0xA282_EAD8) & 0xFFFF_FFFF


def _crc_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_CRC = tuple(_crc_row(byte) for byte in range(256))


def _handle_of(pointer: bytes) -> Handle:
    offset, at = _varint(pointer, 0, len(pointer))
    size, _ = _varint(pointer, at, len(pointer))
    return Handle(offset, size)


def _varint(data: Bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise FormatError("a number in the table is cut off", where=f"byte {at}")
