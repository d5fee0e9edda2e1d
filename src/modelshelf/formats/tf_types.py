"""TensorFlow's dtypes, shapes and stored tensors, as its protobuf messages write them.

Field numbers are those of `types.proto`, `tensor_shape.proto` and `tensor.proto`.
"""

from __future__ import annotations

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.protobuf import DELIMITED, VARINT, Field, Wire, signed
from modelshelf.package.signature import element_count

RANK = 254
"""The most dimensions that TensorFlow's own TensorShape has."""
VALUE_BITS = 80
"""More values than a number of so many bits tells are no tensor's."""

# DataType: (name in a record, bits of one value; 0 where it varies)
DTYPES = {
    1: ("float32", 32), 2: ("float64", 64), 3: ("int32", 32), 4: ("uint8", 8), 5: ("int16", 16),
    6: ("int8", 8), 7: ("string", 0), 8: ("complex64", 64), 9: ("int64", 64), 10: ("bool", 8),
    11: ("qint8", 8), 12: ("quint8", 8), 13: ("qint32", 32), 14: ("bfloat16", 16),
    15: ("qint16", 16), 16: ("quint16", 16), 17: ("uint16", 16), 18: ("complex128", 128),
    19: ("float16", 16), 20: ("resource", 0), 21: ("variant", 0), 22: ("uint32", 32),
    23: ("uint64", 64), 24: ("float8_e5m2", 8), 25: ("float8_e4m3fn", 8),
    26: ("float8_e4m3fnuz", 8), 27: ("float8_e4m3b11fnuz", 8), 28: ("float8_e5m2fnuz", 8),
    29: ("int4", 8), 30: ("uint4", 8), 31: ("int2", 8), 32: ("uint2", 8), 33: ("float4", 8),
}  # fmt: skip

_REFERENCE = 100
"""What a dtype's number is raised by where it is a reference to a variable (TensorFlow 1)."""


def dtype_word(number: int) -> str:
    """The word for a DataType; `unknown` for one that does not exist."""
    number = number - _REFERENCE if number > _REFERENCE else number
    return DTYPES[number][0] if number in DTYPES else "unknown"


def shape_of(wire: Wire, message: Field) -> tuple[int | None, ...] | None:
    """A TensorShapeProto: sizes, None where a size is open; None where the rank is."""
    sizes: list[int | None] = []
    unknown = False
    for part in wire.inside(message):
        if part.number == 2:
            sizes.append(_size(wire, part))
            if len(sizes) > RANK:
                raise FormatError("a shape has too many dimensions", expected=f"at most {RANK}")
        elif part.number == 3 and part.wire == VARINT:
            unknown = bool(part.value)
    return None if unknown else tuple(sizes)


def _size(wire: Wire, dimension: Field) -> int | None:
    size = 0
    for part in wire.inside(dimension):
        if part.number == 1 and part.wire == VARINT:
            size = signed(part.value)
    return size if size >= 0 else None


def fixed(name: str, shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    """The shape of a stored tensor, which has no open sizes; raises FormatError if it has."""
    if shape is None or any(size is None for size in shape):
        raise FormatError(f"tensor {name[:80]!r} is stored with an open shape", got=str(shape)[:80])
    sizes = tuple(size for size in shape if size is not None)
    if sum(size.bit_length() for size in sizes) > VALUE_BITS and 0 not in sizes:
        raise FormatError(f"tensor {name[:80]!r} has an impossible shape", got=str(sizes)[:80])
    return sizes


def stored_tensor(wire: Wire, message: Field, name: str) -> tuple[TensorInfo, Field | None]:
    """A TensorProto called `name`: its type, and where its bytes lie if they lie in one piece."""
    dtype = 0
    shape: tuple[int | None, ...] | None = ()
    content: Field | None = None
    for part in wire.inside(message):
        if part.number == 1:
            dtype = part.value
        elif part.number == 2:
            shape = shape_of(wire, part)
        elif part.number == 4 and part.wire == DELIMITED and part.end > part.start:
            content = part
    info = TensorInfo(name, dtype_word(dtype), fixed(name, shape))
    if content is not None:
        _check_size(info, dtype, content.end - content.start)
    return info, content


def _check_size(info: TensorInfo, dtype: int, size_bytes: int) -> None:
    bits = DTYPES[dtype][1] if dtype in DTYPES else 0
    if bits and element_count(info.shape) * bits != size_bytes * 8:
        raise FormatError(
            f"tensor {info.name[:80]!r} has another size than its dtype and shape ask for",
            expected=f"{element_count(info.shape)} values of {bits} bits",
            got=f"{size_bytes} bytes",
        )


def text_value(wire: Wire, message: Field) -> str | None:
    """The text of a TensorProto that holds exactly one; None for any other."""
    texts = [part for part in wire.inside(message) if part.number == 8]
    return loose_text(wire, texts[0]) if len(texts) == 1 else None


def loose_text(wire: Wire, part: Field, limit: int = 4096) -> str:
    """The text of a `bytes` field, which need not be UTF-8; cut at `limit` bytes."""
    return wire.raw(part, limit).decode("utf-8", "replace")


def whole(wire: Wire) -> Field:
    """The whole file as one message."""
    return Field(0, DELIMITED, 0, 0, len(wire))
