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
from modelshelf.formats.onnx_tensor import (
    DTYPES,
    RANK,
    External,
    external_of,
    pair,
    stored_tensor,
)
from modelshelf.formats.protobuf import DELIMITED, Field, Wire, signed
from modelshelf.formats.spans import Span
from modelshelf.package.signature import Dimension, Tensor, element_count

Value = TypeVar("Value")

NAME_COUNT = 1_000_000
DOCUMENTATION_BYTES = 4096
"""How much of each documentation string is searched for paths."""
TYPE_DEPTH = 8


@dataclass
class Model:
    """What one walk through the file gathers.

    `tensors` are the initializers; `constants` counts the values in attributes of nodes. `spans`
    are the places of raw values in the file.
    """

    producer: str = ""
    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)
    outputs: dict[str, Tensor] = field(default_factory=dict)
    tensors: list[TensorInfo] = field(default_factory=list)
    constants: int = 0
    spans: list[Span] = field(default_factory=list)
    ops: Counter[tuple[str, str]] = field(default_factory=Counter)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: list[External] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    trains: bool = False


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
            case 6:
                _document(wire, part, model)
            case 14:
                _document(wire, part, model)
                _grown(model.metadata).update(pair(wire, part))
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
        inner: set[str] = set()
        for part in wire.inside(pending.pop()):
            _graph_part(wire, part, model, pending, inner)


def _function_or_training(wire: Wire, part: Field, model: Model, pending: list[Field]) -> None:
    """A FunctionProto's nodes are counted like a graph's; training graphs are walked later."""
    if part.number == 20:
        model.trains = True
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
        case 5 | 15:
            read = _tensor if part.number == 5 else _sparse
            name = read(wire, part, model, stored=True)
            if name in initialized:
                raise FormatError(f"a graph has two initializers named {name[:80]!r}")
            initialized.add(name)
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
    """A TensorProto: an initializer if it is `stored`; returns its name."""
    found = stored_tensor(wire, tensor)
    for part in found.remarks:
        _document(wire, part, model)
    values = element_count(found.info.shape)
    if found.pointers is not None:
        model.external.append(external_of(found.info, found.pointers, values if stored else 0))
    elif found.raw is not None:
        info = found.info
        model.spans.append(Span(found.raw.start, found.raw.end, info.dtype, info.name))
    if stored:
        model.tensors.append(found.info)
    else:
        model.constants += values
    return found.info.name


def _sparse(wire: Wire, sparse: Field, model: Model, *, stored: bool) -> str:
    """A SparseTensorProto is named by its values; only those are stored."""
    name = ""
    for part in wire.inside(sparse):
        if part.number == 1:
            name = _tensor(wire, part, model, stored=stored)
        elif part.number == 2:
            _tensor(wire, part, model, stored=False)
    return name


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


def _document(wire: Wire, part: Field, model: Model) -> None:
    """Keep a documentation string or a metadata value for the search for paths."""
    if len(model.texts) >= 10_000 or part.wire != DELIMITED:
        return
    if part.number in {6, 10, 12}:
        model.texts.append(wire.text(part, DOCUMENTATION_BYTES))
    else:
        model.texts += [text[:DOCUMENTATION_BYTES] for text in pair(wire, part).values()]


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
