"""An exported program of PyTorch as its JSON says it: graph, inputs and outputs, sizes, operators.

Source: `torch/_export/serde/schema.py` (schema 5 to 8). Only the fields that are asked for are
decoded; unions (`{"as_tensor": {...}}`) are structs of which one field is set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from modelshelf.errors import FormatError

Whole = TypeVar("Whole")

NODE_COUNT = 1_000_000
GRAPH_DEPTH = 100
TEXT_COUNT = 10_000
TEXT_CHARACTERS = 4096
"""How much of each stack trace is searched for paths."""

# `ScalarType` there; the numbers above 13 since schema 8.
DTYPES = {
    1: ("uint8", 1), 2: ("int8", 1), 3: ("int16", 2), 4: ("int32", 4), 5: ("int64", 8),
    6: ("float16", 2), 7: ("float32", 4), 8: ("float64", 8), 9: ("complex32", 4),
    10: ("complex64", 8), 11: ("complex128", 16), 12: ("bool", 1), 13: ("bfloat16", 2),
    28: ("uint16", 2), 29: ("float8_e4m3fn", 1), 30: ("float8_e5m2", 1),
    31: ("float8_e4m3fnuz", 1), 32: ("float8_e5m2fnuz", 1), 33: ("float8_e8m0fnu", 1),
    34: ("uint32", 4), 35: ("uint64", 8),
}  # fmt: skip


class Named(msgspec.Struct, frozen=True):
    """Something that is only named."""

    name: str


class Expression(msgspec.Struct, frozen=True):
    """A symbolic number: what sympy printed."""

    expr_str: str


class Number(msgspec.Struct, frozen=True):
    """A size: a number, or an expression."""

    as_int: int | None = None
    as_expr: Expression | None = None


class Meta(msgspec.Struct, frozen=True):
    """What is known of a tensor without its values."""

    dtype: int
    sizes: list[Number] = []
    strides: list[Number] = []
    storage_offset: Number = Number(as_int=0)


class SymbolicName(msgspec.Struct, frozen=True):
    """A scalar of the graph that is symbolic there."""

    as_name: str | None = None


class GraphArgument(msgspec.Struct, frozen=True):
    """A graph within a node: a branch, the body of a loop."""

    graph: Graph


class Argument(msgspec.Struct, frozen=True):
    """What a node takes or gives; one field is set, kinds that say nothing here are left out."""

    as_tensor: Named | None = None
    as_tensors: list[Named] = []
    as_sym_int: SymbolicName | None = None
    as_sym_float: SymbolicName | None = None
    as_sym_bool: SymbolicName | None = None
    as_graph: GraphArgument | None = None
    as_custom_obj: Named | None = None
    as_operator: str | None = None
    as_int: int | None = None
    as_bool: bool | None = None
    as_float: float | str | None = None
    as_string: str | None = None
    as_string_to_argument: dict[str, Argument] = {}


class NodeInput(msgspec.Struct, frozen=True):
    """One argument of a node."""

    arg: Argument


class Node(msgspec.Struct, frozen=True):
    """A call of an operator."""

    target: str
    inputs: list[NodeInput] = []
    metadata: dict[str, str] = {}


class Graph(msgspec.Struct, frozen=True):
    """Nodes in the order in which they run, and what is known of the values between them."""

    nodes: list[Node] = []
    tensor_values: dict[str, Meta] = {}
    sym_int_values: dict[str, Number] = {}
    sym_float_values: dict[str, Number] = {}
    sym_bool_values: dict[str, Number] = {}


class ArgumentSpec(msgspec.Struct, frozen=True):
    """A user's input or output."""

    arg: Argument


class Constant(msgspec.Struct, frozen=True):
    """An input whose value the export fixed."""

    name: str
    value: dict[str, bool | int | float | str | None] = {}


class Weight(msgspec.Struct, frozen=True):
    """A tensor that the program brings: `arg` names it in the graph, the others in the model."""

    arg: Named
    parameter_name: str | None = None
    buffer_name: str | None = None
    tensor_constant_name: str | None = None


class InputSpec(msgspec.Struct, frozen=True):
    """What one input of the graph is; one field is set."""

    user_input: ArgumentSpec | None = None
    constant_input: Constant | None = None
    parameter: Weight | None = None
    buffer: Weight | None = None
    tensor_constant: Weight | None = None


class OutputSpec(msgspec.Struct, frozen=True):
    """What one output of the graph is; one field is set."""

    user_output: ArgumentSpec | None = None
    loss_output: Weight | None = None
    buffer_mutation: Weight | None = None


class GraphSignature(msgspec.Struct, frozen=True):
    """Inputs and outputs of the graph, in their order."""

    input_specs: list[InputSpec] = []
    output_specs: list[OutputSpec] = []


class CallSignature(msgspec.Struct, frozen=True):
    """How a module is called: the trees of what goes in and comes out, each as JSON in a string."""

    in_spec: str = ""
    out_spec: str = ""
    forward_arg_names: list[str] | None = None


class Call(msgspec.Struct, frozen=True):
    """A module of the model; the first is the model itself."""

    fqn: str = ""
    signature: CallSignature | None = None


class GraphModule(msgspec.Struct, frozen=True):
    """The graph with how it is called."""

    graph: Graph
    signature: GraphSignature = GraphSignature()
    module_call_graph: list[Call] = []


class Range(msgspec.Struct, frozen=True):
    """Bounds of a symbol; None where there is none."""

    min_val: int | None = None
    max_val: int | None = None


class SchemaVersion(msgspec.Struct, frozen=True):
    """Which schema the JSON follows."""

    major: int = 0
    minor: int = 0


class Program(msgspec.Struct, frozen=True):
    """The whole program; before schema 7 `schema_version` was a number."""

    graph_module: GraphModule
    opset_version: dict[str, int] = {}
    range_constraints: dict[str, Range] = {}
    schema_version: SchemaVersion | int = SchemaVersion()
    torch_version: str | None = None
    guards_code: list[str] = []
    dialect: str | None = None


class Payload(msgspec.Struct, frozen=True):
    """Where the bytes of one tensor or object lie: an entry beside the table."""

    path_name: str
    is_param: bool = False
    use_pickle: bool = False
    tensor_meta: Meta | None = None


class PayloadTable(msgspec.Struct, frozen=True):
    """Payloads by the name that the tensor has in the model."""

    config: dict[str, Payload]


def program_of(content: bytes) -> Program:
    """Decode a program.

    Raises:
        FormatError: it is no JSON, or not a program's.

    """
    return _decoded(content, Program, "an exported program")


def payloads_of(content: bytes) -> dict[str, Payload]:
    """Decode a table of weights or constants; raises FormatError as `program_of`."""
    return _decoded(content, PayloadTable, "a table of weights").config


def graphs(program: Program) -> Iterator[Graph]:
    """The graph and all those within its nodes."""
    pending: list[tuple[Graph, int]] = [(program.graph_module.graph, 0)]
    left = NODE_COUNT
    while pending:
        graph, depth = pending.pop()
        left -= len(graph.nodes)
        if left < 0 or depth > GRAPH_DEPTH:
            raise FormatError(f"the program has more than {NODE_COUNT} nodes or is nested too deep")
        yield graph
        for node in graph.nodes:
            below = (each.as_graph.graph for each in _arguments(node) if each.as_graph)
            pending.extend((inner, depth + 1) for inner in below)


def expressions(program: Program) -> dict[str, None]:
    """Every symbolic expression of the program, each once: loading evaluates all of them."""
    found: dict[str, None] = {}
    for graph in graphs(program):
        numbers = [
            *graph.sym_int_values.values(),
            *graph.sym_float_values.values(),
            *graph.sym_bool_values.values(),
        ]
        for meta in graph.tensor_values.values():
            numbers += [*meta.sizes, *meta.strides, meta.storage_offset]
        found |= dict.fromkeys(each.as_expr.expr_str for each in numbers if each.as_expr)
    return found


def operators(program: Program) -> Counter[str]:
    """How often each target is called, graphs within nodes included."""
    found: Counter[str] = Counter()
    for graph in graphs(program):
        for node in graph.nodes:
            found[node.target] += 1
            found.update(
                each.as_operator for each in _arguments(node) if each.as_operator is not None
            )
    return found


def traces(program: Program) -> list[str]:
    """The stack traces that the exporter left in the nodes: the author's paths and source lines."""
    found: dict[str, None] = {}
    for graph in graphs(program):
        for node in graph.nodes:
            text = node.metadata.get("stack_trace", "")
            if text and len(found) < TEXT_COUNT:
                found.setdefault(text[:TEXT_CHARACTERS])
    return list(found)


def _arguments(node: Node) -> Iterator[Argument]:
    for each in node.inputs:
        yield each.arg
        yield from each.arg.as_string_to_argument.values()


def _decoded(content: bytes, kind: type[Whole], words: str) -> Whole:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(
            f"the archive holds what is not {words}",
            expected="the JSON of torch.export",
            got=str(error)[:200],
            hint="export the model again with torch.export.save",
        ) from error
