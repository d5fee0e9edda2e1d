"""Compressed bytes unpacked into a temporary file, within an allowance: what joblib and zip compress.

What could be unpacked before an error counts: loaders that stream have seen it too.
"""

from __future__ import annotations

import bz2
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from modelshelf.errors import FormatError
from modelshelf.formats.window import Seekable

UNPACKED_BYTES = 512 * 1024 * 1024
"""What the parts of one file may unpack to, together."""
MEMORY_BYTES = 64 * 1024 * 1024
"""What xz may need: its highest setting needs as much."""
PIECE_BYTES = 1 << 20

_CHUNK_BYTES = 65_536


@dataclass
class Allowance:
    """Bytes that may still be unpacked."""

    left: int = UNPACKED_BYTES

    def spend(self, count: int) -> None:
        """Count bytes; raises FormatError when none are left."""
        self.left -= count
        if self.left < 0:
            raise FormatError(f"it unpacks to more than {UNPACKED_BYTES} bytes")


@dataclass(frozen=True)
class Unpacked:
    """A file's content; `wrong` says why it is not all of it, `crc` is its CRC-32."""

    file: Seekable
    size: int
    crc: int
    wrong: str | None = None


def packing_of(head: bytes) -> str | None:
    """How a file is compressed, by its first bytes (`joblib/compressor.py` knows the same)."""
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    marks = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"]\0\0": "lzma"}
    return next((name for mark, name in marks.items() if head.startswith(mark)), None)


@contextmanager
def unpacked(file: Seekable, packing: str, allowance: Allowance) -> Iterator[Unpacked]:
    """The content of a compressed file from its start, as far as the allowance reaches."""
    with tempfile.TemporaryFile() as target:
        size = crc = 0
        wrong = None
        try:
            for piece in _pieces(file, _DECODERS[packing]()):
                target.write(piece)
                size += len(piece)
                crc = zlib.crc32(piece, crc)
                allowance.spend(len(piece))
        except FormatError as error:
            wrong = error.message
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
            wrong = f"it cannot be unpacked: {str(error)[:200]}"
        target.seek(0)
        yield Unpacked(target, size, crc, wrong)


class _Deflate:
    """zlib's decoder with the interface of the other two."""

    def __init__(self, bits: int) -> None:
        self._decoder = zlib.decompressobj(bits)

    def decompress(self, data: bytes, limit: int) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, limit)

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data


Decoder = _Deflate | bz2.BZ2Decompressor | lzma.LZMADecompressor

_DECODERS: dict[str, Callable[[], Decoder]] = {
    "zlib": lambda: _Deflate(zlib.MAX_WBITS),
    "gzip": lambda: _Deflate(zlib.MAX_WBITS | 16),
    "deflate": lambda: _Deflate(-zlib.MAX_WBITS),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES * 2),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MEMORY_BYTES * 2),
}


def _pieces(file: Seekable, decoder: Decoder) -> Iterator[bytes]:
    file.seek(0)
    while not decoder.eof:
        chunk = file.read(_CHUNK_BYTES) if decoder.needs_input else b""
        piece = decoder.decompress(chunk, PIECE_BYTES)
        if not chunk and not piece and not decoder.eof:
            raise FormatError("it is cut off")
        yield piece
    if decoder.unused_data or file.read(1):
        raise FormatError("bytes stand after its end")
