"""What a file is by its bytes, whatever its name says: machine code, archives, plain data, text.

Marks of four bytes and more only, where the bytes may be raw tensors: shorter ones occur by chance.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath

from modelshelf.errors import FormatError
from modelshelf.formats.protobuf import DELIMITED, Bytes, Wire
from modelshelf.formats.window import Seekable

HEAD_BYTES = 512
TEXT_BYTES = 4 * 1024 * 1024 * 1024
"""The longest text read to its end."""
YAML_BYTES = 16 * 1024 * 1024
"""How much of a text is searched at once."""
TAG_BYTES = 256
PIECE_COUNT = 1000
"""How many pieces of a vocabulary are looked at: enough to know that it is one."""

NATIVE_SUFFIXES = frozenset({".so", ".dll", ".pyd", ".dylib", ".exe", ".o", ".a", ".lib", ".ko"})
SCRIPT_SUFFIXES = frozenset(
    {
        ".py", ".pyw", ".sh", ".bash", ".zsh", ".bat", ".cmd", ".ps1", ".js", ".mjs", ".ts", ".rb",
        ".pl", ".lua", ".r", ".jl", ".ipynb",
    }
)  # fmt: skip
BYTE_CODE_SUFFIXES = frozenset({".pyc", ".pyo", ".class", ".luac"})
# What is written for people may speak of tags; everything else may be read as YAML.
_PROSE_SUFFIXES = frozenset({".md", ".rst", ".py", ".html"})

HDF5 = b"\x89HDF\r\n\x1a\n"

_NATIVE = {
    b"\x7fELF": "ELF",
    b"\xfe\xed\xfa\xce": "Mach-O",
    b"\xfe\xed\xfa\xcf": "Mach-O",
    b"\xce\xfa\xed\xfe": "Mach-O",
    b"\xcf\xfa\xed\xfe": "Mach-O",
    b"\xca\xfe\xba\xbe": "Mach-O or Java",
    b"\0asm": "WebAssembly",
    b"!<arch>\n": "a library of object files",
    b"BC\xc0\xde": "LLVM",
    b"dex\n": "Android",
    b"\x50\xed\x55\xba": "CUDA",
    b"\x1bLua": "Lua",
}
_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"\x04\x22\x4d\x18": "lz4",
    b"MSCF\0\0\0\0": "cabinet",
    b"xar!": "xar",
}
_DATA = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"ARROW1\0\0": "Arrow",
    b"PAR1": "Parquet",
}
_INSIDE = {b"RIFF": (8, (b"WAVE", b"WEBP", b"AVI ")), b"": (4, (b"ftypmp4", b"ftypiso", b"ftypM4"))}

_YAML_SUFFIXES = frozenset({"", ".yaml", ".yml"})
_TAG = re.compile(rb"!\w*!python|!<[^>\n]{0,200}python|tag:yaml\.org,2002:p", re.IGNORECASE)
# A tag may be written with escapes, or with a prefix that the file defines.
_ANY_TAG = re.compile(
    rb"!\w*!\w*[/:.]?\w*%|!<[^>\n]{0,200}%|^%TAG|" + _TAG.pattern, re.MULTILINE | re.IGNORECASE
)


def native_code(head: bytes) -> str | None:
    """The kind of machine or byte code that a file is."""
    found = _marked(_NATIVE, head)
    if found:
        return found
    place = int.from_bytes(head[60:64], "little")
    is_windows = head.startswith(b"MZ") and place < len(head) - 4
    return "PE" if is_windows and head[place : place + 4] == b"PE\0\0" else None


def byte_code(head: bytes) -> bool:
    """Whether a file is compiled Python: a number of its version, then a line's end."""
    version = int.from_bytes(head[:2], "little")
    return head[2:4] == b"\r\n" and (3000 <= version < 4000 or 62_000 <= version < 62_300)


def archive_kind(head: bytes) -> str | None:
    """The kind of archive that nobody here can look into."""
    return _marked(_ARCHIVES, head) or ("tar" if _is_tar(head) else None)


def harmless(head: bytes) -> str | None:
    """The kind of picture, sound or table that a file is."""
    found = _marked(_DATA, head)
    if found:
        return found
    for mark, (at, names) in _INSIDE.items():
        for name in names:
            if head.startswith(mark) and head[at:].startswith(name):
                return name.decode().strip()
    return None


def suffix_of(name: str) -> str:
    """The last suffix of a file's name, in lower case."""
    return PurePosixPath(name).suffix.lower()


def is_text(file: Seekable, size: int) -> bool:
    """Whether all of a file is text in UTF-8, or in UTF-16 with its mark."""
    if size > TEXT_BYTES:
        return False
    file.seek(0)
    head = file.read(2)
    encoding = "utf-16" if head in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(1 << 20):
            if _CONTROL.search(decoder.decode(piece)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def builds_objects(file: Seekable, size: int, name: str) -> bool:
    """Whether a text has YAML's tags for Python objects, or what could hide one."""
    suffix = suffix_of(name)
    if suffix in _PROSE_SUFFIXES:
        return False
    pattern = _ANY_TAG if suffix in _YAML_SUFFIXES else _TAG
    file.seek(0)
    utf_16 = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    for at in range(0, size, YAML_BYTES):
        file.seek(at)
        piece = file.read(YAML_BYTES + TAG_BYTES)
        # Each character of a tag is one byte and a zero in UTF-16.
        if pattern.search(piece.replace(b"\0", b"") if utf_16 else piece):
            return True
    return False


def is_vocabulary(data: Bytes) -> bool:
    """Whether a file is SentencePiece's model: pieces with scores, then how it was trained.

    Source: `sentencepiece_model.proto` (ModelProto: 1 pieces, 2 trainer, 3 and 5 normalizers,
    4 self-test).
    """
    wire = Wire(data)
    seen = 0
    try:
        for field in wire.fields(0, len(data)):
            if field.wire != DELIMITED or field.number not in {1, 2, 3, 4, 5}:
                return False
            if field.number == 1 and seen < PIECE_COUNT:
                seen += 1
                parts = {each.number: each for each in wire.inside(field)}
                if not parts.keys() <= {1, 2, 3} or 1 not in parts or not wire.text(parts[1]):
                    return False
    except FormatError:
        return False
    return seen > 0


_CONTROL = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")


def _marked(marks: dict[bytes, str], head: bytes) -> str | None:
    return next((name for mark, name in marks.items() if head.startswith(mark)), None)


def _is_tar(head: bytes) -> bool:
    """A tar's first header has the sum of its bytes in octal (POSIX, pax interchange format)."""
    if len(head) < HEAD_BYTES or not head[:1].strip(b"\0"):
        return False
    told = head[148:156].strip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,7}", told):
        return False
    return int(told, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])
