"""A TensorFlow Lite model as plain values: subgraphs, their tensors, signatures, operators.

Source: version 3 of `schema.fbs` of TensorFlow Lite; fields have the numbers of their order there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.flatbuffer import FlatBuffer, Memory, Table
from modelshelf.formats.tflite_operators import CUSTOM, FLEX, CustomUse, operator_name

IDENTIFIER = b"TFL3"
VERSION = 3
RANK = 64
NAME_BYTES = 4096
INDEX_COUNT = 1_000_000
"""Inputs and outputs of one subgraph at most."""
OPTIONS_BYTES = 1024 * 1024
"""How much of the options of Flex operators is looked into: one has some hundred bytes."""

# TensorType: (name in a record, bits of one value; 0 where it varies)
TYPES = (
    ("float32", 32), ("float16", 16), ("int32", 32), ("uint8", 8), ("int64", 64), ("string", 0),
    ("bool", 8), ("int16", 16), ("complex64", 64), ("int8", 8), ("float64", 64),
    ("complex128", 128), ("uint64", 64), ("resource", 0), ("variant", 0), ("uint32", 32),
    ("uint16", 16), ("int4", 4), ("bfloat16", 16), ("int2", 2), ("uint4", 4),
)  # fmt: skip


class Value(NamedTuple):
    """A tensor of a subgraph.

    `open_shape` has None where a size is open, and is None where the rank is not told. `buffer`
    and `external` tell where stored values lie. `scales` is how many scales it is quantized with,
    `quantization` the first of them in words.
    """

    name: str
    type: int
    shape: tuple[int, ...]
    open_shape: tuple[int | None, ...] | None
    buffer: int
    external: int
    scales: int
    quantization: str
    is_sparse: bool


@dataclass
class Subgraph:
    """A graph: the model's own, the body of a loop or branch, or one signature's."""

    name: str
    values: list[Value]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Called(NamedTuple):
    """A signature: the names that callers use → the number of the tensor in its subgraph."""

    key: str
    subgraph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


class Outside(NamedTuple):
    """Where values lie in a file beside the model."""

    file: str
    offset: int
    length: int
    packing: str


@dataclass
class Model:
    """What one walk through the file gathers.

    `buffers` are the places of stored bytes (first, behind the last), by number; `metadata` the
    number of the buffer of each entry.
    """

    description: str = ""
    buffers: list[tuple[int, int]] = field(default_factory=list)
    subgraphs: list[Subgraph] = field(default_factory=list)
    signatures: list[Called] = field(default_factory=list)
    metadata: dict[str, int] = field(default_factory=dict)
    outside: dict[int, Outside] = field(default_factory=dict)
    ops: Counter[str] = field(default_factory=Counter)
    builtins: set[int] = field(default_factory=set)
    customs: list[CustomUse] = field(default_factory=list)


Spans = dict[tuple[str, int, int], None]
"""Custom operators by name, with the place and length of their options; each once."""


def model_of(data: Memory) -> Model:
    """Read a model; no values of tensors are touched."""
    buffer = FlatBuffer(data)
    if buffer.size < 8 or buffer.identifier != IDENTIFIER:
        raise FormatError(
            "the file is no TensorFlow Lite model",
            expected=f"{IDENTIFIER.decode()} at byte 4",
            got=repr(bytes(buffer.identifier)),
        )
    root = buffer.root()
    if root.number(0, "I") != VERSION:
        raise FormatError(
            "the model follows another schema",
            expected=f"version {VERSION}",
            got=root.number(0, "I"),
        )
    model = Model(root.text(3))
    model.buffers = [_stored(each) for each in root.tables(4)]
    model.metadata = {each.text(0, NAME_BYTES): each.number(1, "I") for each in root.tables(6)}
    model.outside = _outside(root)
    codes = [_code(each) for each in root.tables(1)]
    spans: Spans = {}
    for each in root.tables(2):
        model.subgraphs.append(_subgraph(each))
        _operators(each, codes, model, spans)
    if not model.subgraphs:
        raise FormatError("the model has no graph", hint="export the model again")
    model.customs = _customs(data, spans)
    model.signatures = [_called(each, model.subgraphs) for each in root.tables(7)]
    return model


def dtype_of(number: int) -> tuple[str, int]:
    """The word for a TensorType and its bits; `unknown` for one that does not exist."""
    return TYPES[number] if 0 <= number < len(TYPES) else ("unknown", 0)


def content(data: Memory, model: Model, number: int, limit: int) -> bytes | None:
    """The bytes of a buffer; None where there is none of that number, or it is longer."""
    begin, end = model.buffers[number] if number < len(model.buffers) else (0, 0)
    return data[begin:end] if 0 < end - begin <= limit else None


def _stored(table: Table) -> tuple[int, int]:
    """Where a buffer's bytes lie: within the tables, or behind them where those end at 2 GB."""
    begin, count = table.span(0)
    offset, size = table.number(1, "Q"), table.number(2, "Q")
    if count or offset <= 1:  # 0 and 1 are what converters write where it is not used
        return begin, begin + count
    table.buffer.check(offset, size)
    return offset, offset + size


def _outside(root: Table) -> dict[int, Outside]:
    groups = [each.text(0, NAME_BYTES) for each in root.tables(8)]
    found = {}
    for each in root.tables(9):
        group = each.number(1, "I")
        if group >= len(groups):
            raise FormatError("values lie in a file that is not named", got=f"group {group}")
        offset, length = each.number(2, "Q"), each.number(3, "Q")
        found[each.number(0, "I")] = Outside(groups[group], offset, length, each.text(4, 64))
    return found


def _code(table: Table) -> tuple[int, str]:
    """An operator's number and name; numbers from 127 on stand in a second field."""
    number = max(table.number(0, "b"), table.number(3, "i"))
    if number != CUSTOM:
        return number, operator_name(number)
    name = table.text(1, NAME_BYTES)
    if not name:
        raise FormatError("a custom operator has no name")
    return number, name


def _operators(table: Table, codes: list[tuple[int, str]], model: Model, spans: Spans) -> None:
    """Count a subgraph's operators, and note where the options of custom ones lie."""
    for each in table.tables(3):
        index = each.number(0, "I")
        if index >= len(codes):
            raise FormatError("an operator is of a kind that the model does not list", got=index)
        number, name = codes[index]
        model.ops[name] += 1
        if number == CUSTOM:
            spans.setdefault((name, *_options_span(each)))
        else:
            model.builtins.add(number)


def _options_span(table: Table) -> tuple[int, int]:
    """Where a custom operator's options lie, as those of a buffer do."""
    begin, count = table.span(5)
    offset, size = table.number(9, "Q"), table.number(10, "Q")
    if count or offset <= 1:
        return begin, count
    table.buffer.check(offset, size)
    return offset, size


def _customs(data: Memory, spans: Spans) -> list[CustomUse]:
    """Custom operators with their options: only TensorFlow's own say in them what they do."""
    found = []
    left = OPTIONS_BYTES
    for name, begin, count in spans:
        is_read = name.startswith(FLEX) and count <= left
        found.append(CustomUse(name, data[begin : begin + count] if is_read else None))
        left -= count if is_read else 0
    return found


def _subgraph(table: Table) -> Subgraph:
    values = [_value(each) for each in table.tables(0)]
    sides = tuple(table.numbers(number, "i", INDEX_COUNT) for number in (1, 2))
    if any(not 0 <= index < len(values) for side in sides for index in side):
        raise FormatError("an input or output of a graph is no tensor of it", got=str(sides)[:80])
    return Subgraph(table.text(4, NAME_BYTES), values, *sides)


def _value(table: Table) -> Value:
    name = table.text(3, NAME_BYTES)
    shape = table.numbers(0, "i", RANK)
    if shape and min(shape) < 0:
        raise FormatError(f"tensor {name[:80]!r} has an impossible shape", got=str(shape)[:80])
    scales, quantization = _quantization(table.table(4))
    return Value(
        name,
        table.number(1, "b"),
        shape,
        _open_shape(table, name, shape),
        table.number(2, "I"),
        table.number(10, "I"),
        scales,
        quantization,
        table.table(6) is not None,
    )


def _open_shape(table: Table, name: str, shape: tuple[int, ...]) -> tuple[int | None, ...] | None:
    """The sizes that a caller may choose are -1 in the shape signature, and 1 in the shape."""
    sizes = table.numbers(7, "i", RANK) or shape
    if any(size < -1 for size in sizes):
        raise FormatError(f"tensor {name[:80]!r} has an impossible shape", got=str(sizes)[:80])
    if not sizes and not table.number(8, "B"):
        return None  # without sizes, only `has_rank` tells a single value from an unknown rank
    return tuple(None if size == -1 else size for size in sizes)


def _quantization(table: Table | None) -> tuple[int, str]:
    """How many scales there are, and the first of them in words."""
    if table is None:
        return 0, ""
    (scales_at, scales), (zeros_at, zeros) = table.span(2, 4), table.span(3, 8)
    if not scales:
        return 0, ""
    scale = table.buffer.numbers(scales_at, 1, "f")[0]
    zero = table.buffer.numbers(zeros_at, 1, "q")[0] if zeros else 0
    return scales, f"scale {scale:.9g}, zero point {zero}"


def _called(table: Table, subgraphs: list[Subgraph]) -> Called:
    key, number = table.text(2, NAME_BYTES), table.number(4, "I")
    if number >= len(subgraphs):
        raise FormatError(f"signature {key[:80]!r} is of a graph that is not there", got=number)
    count = len(subgraphs[number].values)
    inputs, outputs = (_named(table, side, key, count) for side in (0, 1))
    return Called(key, number, inputs, outputs)


def _named(table: Table, side: int, key: str, count: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in table.tables(side):
        name, index = each.text(0, NAME_BYTES), each.number(1, "I")
        if index >= count or name in found:
            raise FormatError(
                f"signature {key[:80]!r} names no tensor of its graph, or one name twice",
                got=f"{name[:80]!r}: {index}",
            )
        found[name] = index
    return found
