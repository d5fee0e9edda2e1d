"""A tensor in an ONNX model: its header, and where its values lie, in the file or beside it.

Field numbers are those of `TensorProto` in `onnx.proto`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.protobuf import Field, Wire
from modelshelf.package.signature import element_count

RANK = 64

# TensorProto.DataType: (name in a record, bits of one value; 0 where it varies)
DTYPES = {
    1: ("float32", 32), 2: ("uint8", 8), 3: ("int8", 8), 4: ("uint16", 16), 5: ("int16", 16),
    6: ("int32", 32), 7: ("int64", 64), 8: ("string", 0), 9: ("bool", 8), 10: ("float16", 16),
    11: ("float64", 64), 12: ("uint32", 32), 13: ("uint64", 64), 14: ("complex64", 64),
    15: ("complex128", 128), 16: ("bfloat16", 16), 17: ("float8_e4m3fn", 8),
    18: ("float8_e4m3fnuz", 8), 19: ("float8_e5m2", 8), 20: ("float8_e5m2fnuz", 8),
    21: ("uint4", 4), 22: ("int4", 4), 23: ("float4", 4), 24: ("float8_e8m0fnu", 8),
    25: ("uint2", 2), 26: ("int2", 2), 27: ("float6_e2m3", 6), 28: ("float6_e3m2", 6),
}  # fmt: skip


@dataclass(frozen=True)
class External:
    """Where a tensor's bytes lie: a file beside the model, from `offset`, `length` bytes.

    Where no length is written it is what the tensor's dtype and shape ask for. `values` is how many
    values an initializer has; 0 where the tensor is an attribute.
    """

    tensor: str
    dtype: str
    location: str
    offset: int
    length: int
    values: int


@dataclass
class StoredTensor:
    """A tensor's header: `raw` spans its values, `pointers` tell where they lie outside.

    `remarks` are its documentation and metadata, not yet read.
    """

    info: TensorInfo
    raw: Field | None
    pointers: dict[str, str] | None
    remarks: list[Field]


@dataclass
class _Parts:
    name: str = ""
    dims: list[int] = field(default_factory=list)
    dtype: int = 0
    location: int = 0
    raw: Field | None = None
    pointers: dict[str, str] = field(default_factory=dict)
    remarks: list[Field] = field(default_factory=list)


def stored_tensor(wire: Wire, tensor: Field) -> StoredTensor:
    """Read a TensorProto's header; the bytes of its values are skipped."""
    parts = _Parts()
    for part in wire.inside(tensor):
        match part.number:
            case 1:
                parts.dims += wire.numbers(part, RANK)
            case 2:
                parts.dtype = part.value
            case 8:
                parts.name = wire.text(part)
            case 9:
                parts.raw = part
            case 12 | 16:
                parts.remarks.append(part)
            case 13:
                parts.pointers |= pair(wire, part)
            case 14:
                parts.location = part.value
    is_outside = bool(parts.location or parts.pointers)
    raw = None if is_outside else parts.raw
    info = _info(parts.name, parts.dtype, parts.dims, raw)
    return StoredTensor(info, raw, parts.pointers if is_outside else None, parts.remarks)


def external_of(info: TensorInfo, pointers: dict[str, str], values: int) -> External:
    """Where the values of `info` lie outside; `values` as in `External`."""
    needed = _size_bytes(info)
    numbers = {"offset": 0, "length": needed}
    for key in numbers.keys() & pointers.keys():
        text = pointers[key]
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise FormatError(f"tensor {info.name[:80]!r} has an impossible {key}", got=text[:40])
        numbers[key] = int(text)
    if numbers["length"] < needed:
        raise FormatError(
            f"tensor {info.name[:80]!r} has less data outside than its dtype and shape ask for",
            expected=f"{needed} bytes",
            got=f"{numbers['length']} bytes",
        )
    location = pointers.get("location", "")
    place = numbers["offset"], numbers["length"]
    return External(info.name, info.dtype, location, *place, values)


def pair(wire: Wire, part: Field) -> dict[str, str]:
    """A StringStringEntryProto."""
    texts = {1: "", 2: ""}
    for inner in wire.inside(part):
        if inner.number in texts:
            texts[inner.number] = wire.text(inner)
    return {texts[1]: texts[2]}


def _size_bytes(info: TensorInfo) -> int:
    """How many bytes a tensor's values have; 0 where that varies."""
    bits = next((bits for word, bits in DTYPES.values() if word == info.dtype), 0)
    return -(-element_count(info.shape) * bits // 8)


def _info(name: str, dtype: int, dims: list[int], raw: Field | None) -> TensorInfo:
    if dtype not in DTYPES:
        raise FormatError(f"tensor {name[:80]!r} has an unknown dtype", got=dtype)
    if len(dims) > RANK or any(size < 0 for size in dims):
        raise FormatError(f"tensor {name[:80]!r} has an impossible shape", got=str(dims)[:80])
    word, bits = DTYPES[dtype]
    shape = tuple(dims)
    if raw is not None and bits and raw.end - raw.start != -(-element_count(shape) * bits // 8):
        raise FormatError(
            f"tensor {name[:80]!r} has another size than its dtype and shape ask for",
            expected=f"{element_count(shape)} values of {bits} bits",
            got=f"{raw.end - raw.start} bytes",
        )
    return TensorInfo(name, word, shape)
