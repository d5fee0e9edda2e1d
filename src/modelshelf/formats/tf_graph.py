"""A TensorFlow graph: its operators, functions and constants, and the nodes that a reviewer must see.

Field numbers are those of `graph.proto`, `node_def.proto`, `attr_value.proto`, `function.proto` and
`op_def.proto`. A message that occurs twice is merged by protobuf, so a graph is read as a list of
the fields of all its occurrences; a node's attributes are only looked at where they matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.protobuf import DELIMITED, Field, Wire
from modelshelf.formats.spans import Span
from modelshelf.formats.tf_operators import HARMLESS, SAVING, TABLES, may_call
from modelshelf.formats.tf_types import (
    dtype_word,
    loose_text,
    shape_of,
    stored_tensor,
    text_value,
)
from modelshelf.package.signature import Tensor

NODE_COUNT = 300_000
"""Nodes of the graph itself, and its functions: the largest models have some 100,000."""
NAME_BYTES = 4096
LARGE_BYTES = 4096
"""A function's constants below this size are left out: they are axes and sizes, by the thousand."""

MAIN = ""
"""The scope of the graph itself; a function's scope is its name."""
CONSTANTS = {"Const", "HostConst"}
PLACEHOLDERS = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"}
_NAMED_TABLES = {"HashTable", "HashTableV2"}
_JUDGED = HARMLESS.keys() | SAVING.keys() | TABLES.keys()


class Node(NamedTuple):
    """A node: what it is called, its operator, the outputs it takes, where its attributes lie."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: tuple[Field, ...]


class _Parts(NamedTuple):
    """The fields of a node that are not decoded yet, its operator, and the bytes it takes."""

    size: int
    name: Field | None
    op: str
    inputs: list[Field]
    attributes: list[Field]


class Use(NamedTuple):
    """A node in the scope where it stands."""

    scope: str
    node: Node


@dataclass
class Graph:
    """What one walk through a graph gathers.

    `nodes` are the places of the graph's own nodes by name, `functions` those of its library,
    `judged` the nodes whose inputs or attributes decide what they do, `calls` the nodes that call
    a function, by its name. `constants` come with the place of their bytes; `producer` is the version
    of GraphDef that was written.
    """

    ops: Counter[str] = field(default_factory=Counter)
    nodes: dict[str, Field] = field(default_factory=dict)
    functions: dict[str, list[Field]] = field(default_factory=dict)
    judged: list[Use] = field(default_factory=list)
    calls: dict[str, list[Use]] = field(default_factory=dict)
    constants: list[tuple[TensorInfo, Field | None]] = field(default_factory=list)
    placeholders: dict[str, Tensor] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    producer: int = 0


def graph_of(wire: Wire, graphs: Iterable[Field]) -> Graph:
    """Walk a GraphDef once: its nodes, then each function of its library."""
    graph = Graph()
    libraries: list[Field] = []
    for part in (part for each in graphs for part in wire.inside(each)):
        add_part(wire, part, graph, libraries)
    finish(wire, graph, libraries)
    return graph


def add_part(wire: Wire, part: Field, graph: Graph, libraries: list[Field]) -> None:
    """One field of a GraphDef: a node now, the library of functions later."""
    if part.number == 1:
        _main_node(wire, part, graph)
    elif part.number == 2:
        libraries.append(part)
    elif part.number == 4:
        graph.producer = max([each.value for each in wire.inside(part) if each.number == 1] or [0])
    elif part.number == 5:
        graph.texts += debug_files(wire, part)


def finish(wire: Wire, graph: Graph, libraries: Iterable[Field]) -> None:
    """Walk the functions, and find the calls of those that are operators by their own name."""
    for message in (each for part in libraries for each in wire.inside(part) if each.number == 1):
        parts = list(wire.inside(message))
        name = _function_name(wire, parts)
        if len(graph.functions) >= NODE_COUNT:
            raise FormatError(f"the graph has more than {NODE_COUNT} functions")
        graph.functions.setdefault(name, []).append(message)
        for part in parts:
            if part.number == 3:
                _visit(wire, name, _parts(wire, part), graph)


def debug_files(wire: Wire, message: Field) -> list[str]:
    """The source files that a GraphDebugInfo names."""
    found: list[str] = []
    for part in wire.inside(message):
        if part.number == 1 and len(found) < 1000:
            found.append(loose_text(wire, part))
    return found


def node_of(wire: Wire, message: Field) -> Node:
    """A NodeDef."""
    return _parsed(wire, _parts(wire, message))


def _parts(wire: Wire, message: Field) -> _Parts:
    """The fields of a NodeDef; only its operator is decoded, for that is all most nodes tell."""
    name = op = None
    inputs = []
    attributes = []
    for part in wire.inside(message):
        match part.number:
            case 5:
                attributes.append(part)
            case 3:
                inputs.append(part)
            case 1:
                name = part
            case 2:
                op = part
    size = message.end - message.start
    return _Parts(size, name, wire.text(op, NAME_BYTES) if op else "", inputs, attributes)


def _parsed(wire: Wire, parts: _Parts) -> Node:
    name = wire.text(parts.name, NAME_BYTES) if parts.name else ""
    inputs = tuple(wire.text(part, NAME_BYTES) for part in parts.inputs)
    return Node(name, parts.op, inputs, tuple(parts.attributes))


def constant_spans(graph: Graph) -> Iterator[Span]:
    """Where the values of constants lie in the file, as far as they lie in one piece."""
    for info, content in graph.constants:
        if content:
            yield Span(content.start, content.end, info.dtype, info.name)


def function_arguments(wire: Wire, function: list[Field]) -> list[str]:
    """The names of a function's arguments, in their order."""
    signatures = [part for each in function for part in wire.inside(each) if part.number == 1]
    arguments = [part for each in signatures for part in wire.inside(each) if part.number == 2]
    return [
        next((wire.text(part, NAME_BYTES) for part in wire.inside(each) if part.number == 1), "")
        for each in arguments
    ]


def function_nodes(wire: Wire, function: list[Field]) -> dict[str, Field]:
    """Where the nodes of a function lie, by name."""
    parts = (part for each in function for part in wire.inside(each) if part.number == 3)
    return {node_of(wire, part).name: part for part in parts}


def attribute(wire: Wire, node: Node, name: str) -> list[Field]:
    """The fields of the AttrValue that a node has under `name`; none where it has none."""
    found: list[Field] = []
    for entry in node.attributes:
        key, values = _map_entry(wire, entry)
        if key == name:
            found = [part for value in values for part in wire.inside(value)]
    return found


def constant_text(wire: Wire, node: Node) -> str | None:
    """The text that a constant holds, if it is one text."""
    values = [part for part in attribute(wire, node, "value") if part.number == 8]
    return text_value(wire, values[-1]) if values else None


def _main_node(wire: Wire, part: Field, graph: Graph) -> None:
    parts = _parts(wire, part)
    if len(graph.nodes) >= NODE_COUNT:
        raise FormatError(f"the graph has more than {NODE_COUNT} nodes")
    if not parts.op:
        raise FormatError("a node of the graph has no operator", where=f"byte {part.start}")
    graph.nodes[wire.text(parts.name, NAME_BYTES) if parts.name else ""] = part
    if parts.op in PLACEHOLDERS:
        node = _parsed(wire, parts)
        graph.placeholders[node.name] = _placeholder(wire, node)
    _visit(wire, MAIN, parts, graph)


def _visit(wire: Wire, scope: str, parts: _Parts, graph: Graph) -> None:
    """Count the node, and keep what has to be looked at again."""
    op = parts.op
    graph.ops[op] += 1
    if op in CONSTANTS:
        if scope == MAIN or parts.size >= LARGE_BYTES:
            _constant(wire, _parsed(wire, parts), graph)
    elif op in _JUDGED:
        graph.judged.append(Use(scope, _parsed(wire, parts)))
    elif op in _NAMED_TABLES:
        graph.texts += [
            loose_text(wire, part).removeprefix("hash_table_")
            for part in attribute(wire, _parsed(wire, parts), "shared_name")
            if part.number == 2
        ]
    elif may_call(op):
        node = _parsed(wire, parts)
        for callee in {op, *_callees(wire, node)}:
            graph.calls.setdefault(callee, []).append(Use(scope, node))


def _constant(wire: Wire, node: Node, graph: Graph) -> None:
    value = [part for part in attribute(wire, node, "value") if part.number == 8]
    if value:
        graph.constants.append(stored_tensor(wire, value[-1], node.name))


def _placeholder(wire: Wire, node: Node) -> Tensor:
    dtype = "unknown"
    shape = None
    for entry in node.attributes:
        key, values = _map_entry(wire, entry)
        for part in (part for value in values for part in wire.inside(value)):
            if key == "dtype" and part.number == 6:
                dtype = dtype_word(part.value)
            elif key == "shape" and part.number == 7:
                shape = shape_of(wire, part)
    return Tensor(dtype, shape, optional=node.op == "PlaceholderWithDefault")


def _callees(wire: Wire, node: Node) -> set[str]:
    """Every function that an attribute names, however deeply; iterative, so depth cannot hurt."""
    found: set[str] = set()
    pending = [value for entry in node.attributes for value in _map_entry(wire, entry)[1]]
    while pending:
        for part in wire.inside(pending.pop()):
            if part.number == 1 and part.wire == DELIMITED:
                lists = [inner for inner in wire.inside(part) if inner.number == 9]
            else:
                lists = [part] if part.number == 10 else []
            for function in lists:
                for inner in wire.inside(function):
                    if inner.number == 1:
                        found.add(wire.text(inner, NAME_BYTES))
                    elif inner.number == 2:
                        pending += _map_entry(wire, inner)[1]
    return found


def _function_name(wire: Wire, parts: list[Field]) -> str:
    name = ""
    for part in (inner for each in parts if each.number == 1 for inner in wire.inside(each)):
        if part.number == 1:
            name = wire.text(part, NAME_BYTES)
    if not name:
        raise FormatError("a function of the graph has no name")
    return name


def _map_entry(wire: Wire, entry: Field) -> tuple[str, list[Field]]:
    key = ""
    values = []
    for part in wire.inside(entry):
        if part.number == 1:
            key = wire.text(part, NAME_BYTES)
        elif part.number == 2:
            values.append(part)
    return key, values
