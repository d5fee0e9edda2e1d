"""safetensors: a JSON header that says where each tensor lies, then the tensors, and no code.

Source: the format section of the safetensors documentation; where that is silent the reader
refuses, as the reference implementation does (no holes, no overlaps, nothing after the tensors).
"""

from __future__ import annotations

import json
import json.decoder
import re
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    TensorInfo,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.spans import Span, disjoint
from modelshelf.formats.window import Window, opened
from modelshelf.package.signature import element_count

HEADER_BYTES = 100_000_000
"""The reference implementation's limit."""
TENSOR_COUNT = 1_000_000
METADATA_CHARACTERS = 65_536
"""How much of each value of the metadata is searched for paths."""

# name in the file: (name in a record, bits of one value)
DTYPES = {
    "BOOL": ("bool", 8), "U8": ("uint8", 8), "I8": ("int8", 8), "U16": ("uint16", 16),
    "I16": ("int16", 16), "U32": ("uint32", 32), "I32": ("int32", 32), "U64": ("uint64", 64),
    "I64": ("int64", 64), "F16": ("float16", 16), "BF16": ("bfloat16", 16), "F32": ("float32", 32),
    "F64": ("float64", 64), "C64": ("complex64", 64), "F4": ("float4", 4),
    "F6_E2M3": ("float6_e2m3", 6), "F6_E3M2": ("float6_e3m2", 6),
    "F8_E4M3": ("float8_e4m3fn", 8), "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
}  # fmt: skip

FRAMEWORKS = {"pt": "pytorch", "tf": "tensorflow", "flax": "flax", "np": "numpy", "mlx": "mlx"}
"""What writers put in `__metadata__.format`."""

UNSAID = (
    "Named tensors say nothing of inputs, outputs or the algorithm.",
    "The version of the framework that wrote it is not in the file.",
)

_SPACE = re.compile(r"[ \t\n\r]*")
# One tensor's entry: no braces inside, and short, so that it can be decoded without care.
_ENTRY = re.compile(r"\{[^{}]{0,4096}\}")
_FIELDS = {"dtype", "shape", "data_offsets"}

Place = tuple[int, int]
"""First byte and byte after the last, counted from the end of the header."""


def read(path: Path) -> Facts:
    """Tensors and metadata of a `.safetensors` file."""
    with opened(path, allowance=HEADER_BYTES + 8) as window:
        return facts_of(window, path.name)


def tensor_offsets(path: Path) -> list[tuple[TensorInfo, int, int]]:
    """Each tensor with its first byte and the byte after its last, counted from the file's start.

    Raises:
        FormatError: the file is not well formed.

    """
    with opened(path, allowance=HEADER_BYTES + 8) as window:
        return _described(window)[1]


def facts_of(window: Window, file: str) -> Facts:
    """The same as `read` from an open window; reads the header of `file` and nothing else."""
    metadata, placed = _described(window)
    spans = disjoint(Span(begin, end, each.dtype, each.name) for each, begin, end in placed)
    tensors = tuple(tensor for tensor, _, _ in placed)
    return Facts(
        format="safetensors",
        framework=FRAMEWORKS.get(metadata.get("format", ""), "any"),
        tensors=tensors,
        parameters=parameter_count(tensors),
        precision=precision_of(tensors),
        unsaid=UNSAID,
        notes=tuple(f"{key}: {value[:200]}" for key, value in list(metadata.items())[:50]),
        risks=author_paths((value[:METADATA_CHARACTERS] for value in metadata.values()), file),
        spans={file: spans} if spans else {},
    )


def claims(path: Path, head: bytes) -> bool:
    """By its suffix, or a plausible length followed by the header's brace."""
    return path.suffix.lower() == ".safetensors" or (
        head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= HEADER_BYTES
    )


def _described(window: Window) -> tuple[dict[str, str], list[tuple[TensorInfo, int, int]]]:
    header = _header(window)
    metadata, entries = _parsed(header)
    start = 8 + len(header)
    placed = _placed(entries, window.size - start)
    return metadata, [(tensor, start + begin, start + end) for tensor, begin, end in placed]


def _header(window: Window) -> bytes:
    prefix = window.read(8)
    if len(prefix) < 8:
        raise FormatError("the file ends before the header's length", expected="8 bytes or more")
    length = int.from_bytes(prefix, "little")
    longest = min(HEADER_BYTES, window.size - 8)
    if not 2 <= length <= longest:
        raise FormatError(
            "the header's length is not possible",
            expected=f"2 to {longest} bytes",
            got=length,
            hint="the file is cut off, or no safetensors file",
        )
    return window.read(length)


def _parsed(header: bytes) -> tuple[dict[str, str], dict[str, tuple[str, tuple[int, ...], Place]]]:
    """Metadata, and dtype, shape and place by tensor name. Iterative, so depth cannot hurt."""
    try:
        text = header.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the header is not UTF-8", got=str(error)) from error
    metadata: dict[str, str] | None = None
    entries: dict[str, tuple[str, tuple[int, ...], Place]] = {}
    if not text.startswith("{"):
        raise FormatError("the header does not begin with a brace", got=text[:1])
    at, open_ = _opened(text, 0)
    while open_:
        name, at = _string(text, at)
        at = _after(text, at, ":")
        if name == "__metadata__" and metadata is None:
            metadata, at = _strings(text, at)
        elif name in entries or name == "__metadata__":
            raise FormatError(f"the header names {name[:80]!r} twice")
        elif len(entries) >= TENSOR_COUNT:
            raise FormatError(f"the header names more than {TENSOR_COUNT} tensors")
        else:
            entries[name], at = _entry(text, at, name)
        at, open_ = _continued(text, at)
    if text[at:].strip(" \t\n\r"):
        raise FormatError("the header goes on after its last brace", got=text[at : at + 40])
    return metadata or {}, entries


def _opened(text: str, at: int) -> tuple[int, bool]:
    """After `{`: the place of the first key, and whether there is one."""
    at = _after(text, at, "{")
    return (at + 1, False) if text[at : at + 1] == "}" else (at, True)


def _continued(text: str, at: int) -> tuple[int, bool]:
    """After a value: the place of the next key, and whether there is one."""
    at = _skipped(text, at)
    if text[at : at + 1] == "}":
        return at + 1, False
    return _after(text, at, ","), True


def _after(text: str, at: int, mark: str) -> int:
    at = _skipped(text, at)
    if text[at : at + 1] != mark:
        raise FormatError(
            "the header is not the JSON of a safetensors file",
            expected=repr(mark),
            got=repr(text[at : at + 20]),
            where=f"character {at} of the header",
        )
    return _skipped(text, at + 1)


def _skipped(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _string(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        _after(text, at, '"')
    try:
        value, end = json.decoder.scanstring(text, at + 1, True)  # type: ignore[attr-defined]
    except ValueError as error:
        raise _no_json(at, error) from error
    return str(value), int(end)


def _no_json(at: int, error: Exception) -> FormatError:
    """Also for numbers of thousands of digits, which Python refuses to read."""
    return FormatError(
        "the header is not the JSON of a safetensors file",
        got=str(error)[:200],
        where=f"character {at} of the header",
    )


def _strings(text: str, at: int) -> tuple[dict[str, str], int]:
    """An object whose values are all strings, as `__metadata__` must be."""
    found: dict[str, str] = {}
    at, open_ = _opened(text, at)
    while open_:
        key, at = _string(text, at)
        if key in found:
            raise FormatError(f"the metadata names {key[:80]!r} twice")
        found[key], at = _string(text, _after(text, at, ":"))
        at, open_ = _continued(text, at)
    return found, at


def _entry(text: str, at: int, name: str) -> tuple[tuple[str, tuple[int, ...], Place], int]:
    match = _ENTRY.match(text, at)
    if match is None:
        raise FormatError(f"tensor {name[:80]!r} is not described", got=repr(text[at : at + 40]))
    try:
        pairs = json.loads(match.group(), object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise _no_json(at, error) from error
    fields = dict(pairs)
    if len(pairs) != 3 or fields.keys() != _FIELDS:
        raise FormatError(
            f"tensor {name[:80]!r} has other fields than it must",
            expected=", ".join(sorted(_FIELDS)),
            got=", ".join(sorted(key for key, _ in pairs)),
        )
    dtype, shape, place = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not (isinstance(dtype, str) and _sizes(shape) and _sizes(place) and len(place) == 2):
        raise FormatError(f"tensor {name[:80]!r} has fields of the wrong type", got=match.group())
    return (dtype, tuple(shape), (place[0], place[1])), match.end()


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _placed(
    entries: dict[str, tuple[str, tuple[int, ...], Place]], data_bytes: int
) -> list[tuple[TensorInfo, int, int]]:
    """The tensors in the order of their places, which must tile the data exactly."""
    tensors = []
    reached = 0
    for name, (dtype, shape, (start, end)) in sorted(entries.items(), key=lambda item: item[1][2]):
        if start != reached or end < start:
            raise FormatError(
                f"tensor {name[:80]!r} leaves a hole or overlaps another",
                expected=f"data_offsets from {reached}",
                got=f"[{start}, {end}]",
            )
        reached = end
        tensors.append((_tensor(name, dtype, shape, end - start), start, end))
    if reached != data_bytes:
        raise FormatError(
            "the tensors do not fill the file",
            expected=f"{reached} bytes of data",
            got=f"{data_bytes} bytes",
            hint="the file is cut off, or something was appended to it",
        )
    return tensors


def _tensor(name: str, dtype: str, shape: tuple[int, ...], size_bytes: int) -> TensorInfo:
    if dtype not in DTYPES:
        raise FormatError(
            f"tensor {name[:80]!r} has an unknown dtype", expected=", ".join(DTYPES), got=dtype[:40]
        )
    word, bits = DTYPES[dtype]
    if element_count(shape) * bits != size_bytes * 8:
        raise FormatError(
            f"tensor {name[:80]!r} has another size than its dtype and shape ask for",
            expected=f"{element_count(shape)} values of {bits} bits",
            got=f"{size_bytes} bytes",
        )
    return TensorInfo(name, word, shape)


FORMAT = Format(
    name="safetensors",
    framework="any",
    suffixes=(".safetensors",),
    contexts=("python",),
    advantages="Only tensors: loading runs no code and maps the file instead of copying it.",
    disadvantages="Carries neither the algorithm nor a signature.",
    claims=claims,
    read=read,
)
