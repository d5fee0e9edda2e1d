"""What an ONNX model's protobuf says: its graphs, tensors, types and operators, as plain values.

Field numbers are those of `onnx.proto`. A message that occurs twice is merged by protobuf, so
every message here is read as a list of the fields of all its occurrences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.protobuf import DELIMITED, Field, Wire, signed
from modelshelf.package.signature import Dimension, Tensor, element_count

Value = TypeVar("Value")

RANK = 64
NAME_COUNT = 1_000_000
DOCUMENTATION_BYTES = 4096
"""How much of each documentation string is searched for paths."""
TYPE_DEPTH = 8

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
    """Where a tensor's bytes lie: a file beside the model, from `offset`, `length` bytes."""

    tensor: str
    location: str
    offset: int
    length: int


@dataclass
class Model:
    """What one walk through the file gathers."""

    producer: str = ""
    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)
    outputs: dict[str, Tensor] = field(default_factory=dict)
    tensors: list[TensorInfo] = field(default_factory=list)
    ops: Counter[tuple[str, str]] = field(default_factory=Counter)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: list[External] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def model_of(wire: Wire) -> Model:
    """Walk the whole model once; raises FormatError where it has no graph."""
    model = Model()
    graphs: list[Field] = []
    rest: list[Field] = []
    producer: dict[int, str] = {}
    for part in wire.fields(0, len(wire)):
        match part.number:
            case 1:
                model.ir_version = part.value
            case 2 | 3:
                producer[part.number] = wire.text(part, 200)
            case 7:
                graphs.append(_message(part))
            case 8:
                _opset(wire, part, model)
            case 6 | 14:
                _document(wire, part, model)
            case 20 | 25:
                rest.append(_message(part))
    if not graphs or not model.ir_version:
        raise FormatError(
            "there is no ONNX model in the file",
            expected="an IR version and a graph",
            hint="the file is cut off, or not ONNX",
        )
    model.producer = " ".join(producer[number] for number in sorted(producer) if producer[number])
    _main_graph(wire, graphs, rest, model)
    return model


def _main_graph(wire: Wire, graphs: list[Field], rest: list[Field], model: Model) -> None:
    """The graph that callers see, then all that hangs below it, without recursion."""
    initialized: set[str] = set()
    pending: list[Field] = []
    for part in (part for graph in graphs for part in wire.inside(graph)):
        if part.number in {11, 12}:
            side = model.inputs if part.number == 11 else model.outputs
            name, tensor = _value(wire, part)
            _grown(side)[name] = tensor
        else:
            _graph_part(wire, part, model, pending, initialized)
    for name in initialized:
        model.inputs.pop(name, None)
    for part in rest:
        _function_or_training(wire, part, model, pending)
    while pending:
        for part in wire.inside(pending.pop()):
            _graph_part(wire, part, model, pending, initialized)


def _function_or_training(wire: Wire, part: Field, model: Model, pending: list[Field]) -> None:
    """A FunctionProto's nodes are counted like a graph's; training graphs are walked later."""
    if part.number == 20:
        pending.extend(_message(inner) for inner in wire.inside(part) if inner.number in {1, 2})
        return
    names = {1: "", 10: ""}
    for inner in wire.inside(part):
        if inner.number in names:
            names[inner.number] = wire.text(inner)
        elif inner.number == 7:
            _node(wire, inner, model, pending)
        elif inner.number == 11:
            _attribute(wire, inner, model, pending)
    model.functions.add((names[10], names[1]))


def _graph_part(
    wire: Wire, part: Field, model: Model, pending: list[Field], initialized: set[str]
) -> None:
    match part.number:
        case 1:
            _node(wire, part, model, pending)
        case 5:
            initialized.add(_tensor(wire, part, model, stored=True))
        case 15:
            initialized.add(_sparse(wire, part, model, stored=True))
        case 10 | 16:
            _document(wire, part, model)


def _node(wire: Wire, node: Field, model: Model, pending: list[Field]) -> None:
    operator = domain = ""
    for part in wire.inside(node):
        match part.number:
            case 4:
                operator = wire.text(part)
            case 7:
                domain = wire.text(part)
            case 5:
                _attribute(wire, part, model, pending)
            case 6 | 9:
                _document(wire, part, model)
    if len(model.ops) > 10_000:
        raise FormatError("the model uses more than 10000 different operators")
    model.ops["" if domain == "ai.onnx" else domain, operator] += 1


def _attribute(wire: Wire, attribute: Field, model: Model, pending: list[Field]) -> None:
    """Tensors in attributes may point outside the file too; subgraphs are walked later."""
    for part in wire.inside(attribute):
        match part.number:
            case 5 | 10:
                _tensor(wire, part, model, stored=False)
            case 6 | 11:
                pending.append(_message(part))
            case 22 | 23:
                _sparse(wire, part, model, stored=False)


def _tensor(wire: Wire, tensor: Field, model: Model, *, stored: bool) -> str:
    """Read a TensorProto's header; returns its name. The bytes of its values are skipped."""
    name = ""
    dims: list[int] = []
    dtype = location = 0
    raw: Field | None = None
    pointers: dict[str, str] = {}
    for part in wire.inside(tensor):
        match part.number:
            case 1:
                dims += wire.numbers(part, RANK)
            case 2:
                dtype = part.value
            case 8:
                name = wire.text(part)
            case 9:
                raw = part
            case 13:
                pointers |= _pair(wire, part)
            case 14:
                location = part.value
    if location or pointers:
        model.external.append(_external(name, pointers))
        raw = None
    info = _info(name, dtype, dims, raw)
    if stored:
        model.tensors.append(info)
    return name


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


def _sparse(wire: Wire, sparse: Field, model: Model, *, stored: bool) -> str:
    """A SparseTensorProto is named by its values; only those are stored."""
    name = ""
    for part in wire.inside(sparse):
        if part.number == 1:
            name = _tensor(wire, part, model, stored=stored)
        elif part.number == 2:
            _tensor(wire, part, model, stored=False)
    return name


def _external(name: str, pointers: dict[str, str]) -> External:
    numbers = []
    for key in ("offset", "length"):
        text = pointers.get(key, "0")
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise FormatError(f"tensor {name[:80]!r} has an impossible {key}", got=text[:40])
        numbers.append(int(text))
    return External(name, pointers.get("location", ""), *numbers)


def _value(wire: Wire, value: Field) -> tuple[str, Tensor]:
    """A ValueInfoProto: name and type."""
    name = ""
    types: list[Field] = []
    for part in wire.inside(value):
        if part.number == 1:
            name = wire.text(part)
        elif part.number == 2:
            types.append(part)
    return name, _type(wire, types, TYPE_DEPTH)


def _type(wire: Wire, types: list[Field], depth: int) -> Tensor:
    """A TypeProto; what is no tensor gets a descriptive dtype such as `sequence(float32)`."""
    if depth == 0:
        raise FormatError("a type is nested too deeply", expected=f"at most {TYPE_DEPTH} levels")
    for part in _parts(wire, types):
        if part.number in {1, 8}:
            return _tensor_type(wire, part)
        if part.number in {4, 9}:
            inner = _type(wire, [p for p in wire.inside(part) if p.number == 1], depth - 1)
            if part.number == 9:
                return Tensor(inner.dtype, inner.shape, optional=True)
            return Tensor(f"sequence({inner.dtype})")
        if part.number == 5:
            return Tensor(_map_type(wire, part, depth))
    return Tensor("unknown")


def _map_type(wire: Wire, part: Field, depth: int) -> str:
    key = 0
    values: list[Field] = []
    for inner in wire.inside(part):
        if inner.number == 1:
            key = inner.value
        elif inner.number == 2:
            values.append(inner)
    return f"map({_dtype(key)},{_type(wire, values, depth - 1).dtype})"


def _tensor_type(wire: Wire, part: Field) -> Tensor:
    dtype = 0
    shape: list[Dimension] | None = None
    for inner in wire.inside(part):
        if inner.number == 1:
            dtype = inner.value
        elif inner.number == 2:
            shape = shape or []
            shape += [_dimension(wire, dim) for dim in wire.inside(inner) if dim.number == 1]
    if shape is not None and len(shape) > RANK:
        raise FormatError("a shape has too many dimensions", expected=f"at most {RANK}")
    return Tensor(_dtype(dtype), None if shape is None else tuple(shape))


def _dimension(wire: Wire, dim: Field) -> Dimension:
    size: Dimension = None
    for part in wire.inside(dim):
        if part.number == 1:
            size = signed(part.value) if signed(part.value) >= 0 else None
        elif part.number == 2:
            size = wire.text(part, 200) or None
    return size


def _dtype(number: int) -> str:
    return DTYPES[number][0] if number in DTYPES else "unknown"


def _opset(wire: Wire, part: Field, model: Model) -> None:
    domain, version = "", 0
    for inner in wire.inside(part):
        if inner.number == 1:
            domain = wire.text(inner)
        elif inner.number == 2:
            version = signed(inner.value)
    _grown(model.opsets)["" if domain == "ai.onnx" else domain] = version


def _pair(wire: Wire, part: Field) -> dict[str, str]:
    """A StringStringEntryProto."""
    texts = {1: "", 2: ""}
    for inner in wire.inside(part):
        if inner.number in texts:
            texts[inner.number] = wire.text(inner)
    return {texts[1]: texts[2]}


def _document(wire: Wire, part: Field, model: Model) -> None:
    """Keep a documentation string or a metadata value for the search for paths."""
    if len(model.texts) >= 10_000 or part.wire != DELIMITED:
        return
    if part.number in {6, 10}:
        model.texts.append(wire.text(part, DOCUMENTATION_BYTES))
    else:
        model.texts += [text[:DOCUMENTATION_BYTES] for text in _pair(wire, part).values()]


def _message(part: Field) -> Field:
    if part.wire != DELIMITED:
        raise FormatError(f"field {part.number} is no message", where=f"byte {part.start}")
    return part


def _parts(wire: Wire, messages: list[Field]) -> Iterator[Field]:
    for message in messages:
        yield from wire.inside(message)


def _grown(table: dict[str, Value]) -> dict[str, Value]:
    if len(table) >= NAME_COUNT:
        raise FormatError(f"the model has more than {NAME_COUNT} names of one kind")
    return table
