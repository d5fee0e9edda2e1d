"""The header of a `.npy` file: what one array is, and where its values begin.

Source: `numpy/lib/_format_impl.py`. The header is a Python literal; it is read by a parser for just
that, and nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from modelshelf.errors import FormatError
from modelshelf.formats.window import Seekable

MAGIC = b"\x93NUMPY"
HEADER_BYTES = 65_536
DEPTH = 20
RANK = 64

_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")|(?P<number>\d{1,18})L?\b"
    r"|(?P<word>True|False|None)\b|(?P<mark>[][(){},:]))"
)
_WORDS = {"True": True, "False": False, "None": None}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CODE = re.compile(r"[<>|=]?([biufcmMSUVO])(\d{0,9})(?:\[\w{1,20}\])?")
_BITS = {"i": "int", "u": "uint", "f": "float", "c": "complex"}


@dataclass(frozen=True)
class Header:
    """An array: `dtype` is a word of a record if it can be; `start` is where its values begin.

    `value_bytes` is None for an array of Python objects, which is a pickle.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    value_bytes: int | None

    @property
    def data_bytes(self) -> int | None:
        """How many bytes the values take; None where they are a pickle."""
        return None if self.value_bytes is None else math.prod(self.shape) * self.value_bytes


def header_of(file: Seekable) -> Header:
    """Read the header of the `.npy` file that begins at the file's first byte.

    Raises:
        FormatError: it is no `.npy` file, or its header is not written as NumPy writes it.

    """
    file.seek(0)
    mark = file.read(len(MAGIC) + 2)
    count = _LENGTH_BYTES.get(mark[6]) if len(mark) == 8 and mark.startswith(MAGIC) else None
    if count is None:
        raise FormatError(
            "it is not an array of NumPy", got=mark.hex(), hint="write it with numpy.save"
        )
    length = int.from_bytes(file.read(count), "little")
    raw = file.read(min(length, HEADER_BYTES + 1))
    if len(raw) != length:
        raise FormatError(
            "the array's header is cut off or too long",
            expected=f"at most {HEADER_BYTES} bytes",
            got=f"{length} bytes",
        )
    told = _literal(raw.decode("utf-8" if mark[6] == 3 else "latin-1"))
    if not isinstance(told, dict) or told.keys() != {"descr", "fortran_order", "shape"}:
        raise FormatError("the array's header has other fields than it must", got=str(told)[:80])
    dtype, value_bytes = _dtype(told["descr"])
    return Header(dtype, _shape(told["shape"]), len(mark) + count + length, value_bytes)


def check_size(header: Header, size: int) -> None:
    """Raise FormatError where a file of `size` bytes does not end with the array's values."""
    expected = header.data_bytes
    if expected is not None and size - header.start != expected:
        raise FormatError(
            "the array's values do not fill its file",
            expected=f"{expected} bytes",
            got=f"{size - header.start} bytes",
            hint="the file is cut off, or something was appended to it",
        )


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > RANK or not all(type(n) is int for n in value):
        raise FormatError("the array's shape is not a tuple of sizes", got=str(value)[:80])
    return value


def _dtype(descr: object, depth: int = 0) -> tuple[str, int | None]:
    """The word for a dtype and the bytes of a value; a list describes a record's fields."""
    if depth > DEPTH:
        raise FormatError("the array's dtype is nested too deep")
    if isinstance(descr, list):
        return "record", _record_bytes(descr, depth)
    if isinstance(descr, tuple) and len(descr) == 2:
        word, value_bytes = _dtype(descr[0], depth + 1)
        return word, _times(value_bytes, descr[1])
    match = _CODE.fullmatch(descr) if isinstance(descr, str) else None
    if match is None:
        raise FormatError("the array has an unknown dtype", got=str(descr)[:80])
    kind, digits = match.groups()
    size = int(digits or 0)
    if kind == "O":
        return "object", None
    if kind == "b":
        return "bool", 1
    if kind in _BITS:
        return f"{_BITS[kind]}{8 * size}", size
    words = {"S": "bytes", "U": "string", "V": "record"}
    return words.get(kind, "time"), size * (4 if kind == "U" else 1) if kind in words else 8


def _record_bytes(fields: list[object], depth: int) -> int | None:
    total = 0
    for field in fields:
        if not isinstance(field, tuple) or len(field) not in {2, 3}:
            raise FormatError("the array's records are not described", got=str(field)[:80])
        _, each = _dtype(field[1], depth + 1)
        each = _times(each, field[2]) if len(field) == 3 else each
        if each is None:
            return None
        total += each
    return total


def _times(value_bytes: int | None, shape: object) -> int | None:
    sizes = _shape(shape) if isinstance(shape, tuple) else _shape((shape,))
    return None if value_bytes is None else value_bytes * math.prod(sizes)


def _literal(text: str) -> object:
    """The value of a Python literal of texts, whole numbers, tuples, lists and dictionaries."""
    value, at = _value(text, 0, 0)
    if text[at:].strip():
        raise FormatError("something stands after the array's header", got=text[at : at + 80])
    return value


def _token(text: str, at: int) -> tuple[re.Match[str], int]:
    match = _TOKEN.match(text, at)
    if match is None:
        raise FormatError("the array's header is no literal", got=repr(text[at : at + 40]))
    return match, match.end()


def _value(text: str, at: int, depth: int) -> tuple[object, int]:
    match, at = _token(text, at)
    if match["text"]:
        return match["text"][1:-1], at
    if match["number"]:
        return int(match["number"]), at
    if match["word"]:
        return _WORDS[match["word"]], at
    if match["mark"] not in _CLOSING or depth > DEPTH:
        raise FormatError("the array's header is no literal", got=match["mark"])
    return _container(text, at, match["mark"], depth)


def _container(text: str, at: int, mark: str, depth: int) -> tuple[object, int]:
    items: list[object] = []
    keys: list[object] = []
    commas = 0
    while True:
        match, end = _token(text, at)
        if match["mark"] == _CLOSING[mark]:
            break
        item, at = _value(text, at, depth + 1)
        match, end = _token(text, at)
        if mark == "{" and match["mark"] == ":" and isinstance(item, str):
            keys.append(item)
            item, at = _value(text, end, depth + 1)
            match, end = _token(text, at)
        items.append(item)
        if match["mark"] == ",":
            commas, at = commas + 1, end
        elif match["mark"] != _CLOSING[mark]:
            raise FormatError("the array's header is no literal", got=repr(text[at : at + 40]))
    if mark == "{":
        if len(set(keys)) != len(items):
            raise FormatError("the array's header is no dictionary", got=text[:80])
        return dict(zip(keys, items, strict=True)), end
    if mark == "[":
        return items, end
    return (items[0] if len(items) == 1 and not commas else tuple(items)), end
