"""The topology of a graph model of TensorFlow.js: TensorFlow's GraphDef, as JSON.

Source: `tfjs-converter/src/operations/operation_mapper.ts` and `executor/graph_model.ts`, whose
reading of names, dtypes and missing signatures is followed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.formats.tfjs_layers import words
from modelshelf.package.signature import Dimension, Signature, Tensor

RANK = 254
"""The most dimensions that TensorFlow's own TensorShape has."""

Table = dict[str, Any]

# TensorFlow's dtype, by name and number: what a caller in JavaScript hands over for it
_DTYPES = {
    "DT_FLOAT": "float32", 1: "float32", "DT_HALF": "float32", 19: "float32",
    "DT_DOUBLE": "float32", 2: "float32", "DT_INT32": "int32", 3: "int32", "DT_INT64": "int32",
    9: "int32", "DT_INT8": "int32", 6: "int32", "DT_UINT8": "int32", 4: "int32",
    "DT_BOOL": "bool", 10: "bool", "DT_STRING": "string", 7: "string",
    "DT_COMPLEX64": "complex64", 8: "complex64", "DT_COMPLEX128": "complex64", 18: "complex64",
}  # fmt: skip
_RESOURCES = {"DT_RESOURCE", "20"}


@dataclass
class Graph:
    """What the topology says."""

    signature: Signature
    signed: bool
    ops: Counter[str] = field(default_factory=Counter)
    foreign: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def graph_of(model: Table) -> Graph:
    """Look through a `model.json` whose topology is a graph."""
    metadata = model.get("userDefinedMetadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    signed = metadata.get("signature") or model.get("signature")
    nodes = list(_nodes(model["modelTopology"].get("node", [])))
    if isinstance(signed, dict) and (signed.get("inputs") or signed.get("outputs")):
        found = _signed(signed, nodes, metadata.get("structuredOutputKeys"))
    else:
        found = Graph(_unsigned(nodes), signed=False)
    functions = set()
    for name, body in _functions(model["modelTopology"]):
        functions.add(name)
        found.ops.update(node["op"] for node in body)
    found.ops.update(node["op"] for node in nodes)
    initializer = model.get("modelInitializer")
    if isinstance(initializer, dict):
        found.ops.update(node["op"] for node in _nodes(initializer.get("node", [])))
        found.notes.append("has a graph that fills its tables before the first call")
    known = words()["operators"]
    found.foreign = {op: None for op in sorted(found.ops) if op not in known | functions}
    if functions:
        found.notes.append(f"{len(functions)} functions, which control flow calls")
    return found


def _nodes(value: object) -> Iterator[Table]:
    """Nodes with a name and an operator; raises FormatError for anything else."""
    if not isinstance(value, list):
        raise FormatError("the nodes of the graph are no list", got=type(value).__name__)
    for node in value:
        texts = [node.get(key) for key in ("name", "op")] if isinstance(node, dict) else []
        if not texts or not all(isinstance(text, str) for text in texts):
            raise FormatError("a node of the graph has no name or no operator", got=repr(node)[:80])
        yield node


def _functions(topology: Table) -> Iterator[tuple[str, list[Table]]]:
    library = topology.get("library")
    bodies = library.get("function", []) if isinstance(library, dict) else []
    if not isinstance(bodies, list):
        raise FormatError("the functions of the graph are no list", got=type(bodies).__name__)
    for body in bodies:
        signature = body.get("signature") if isinstance(body, dict) else None
        if not isinstance(signature, dict) or not isinstance(signature.get("name"), str):
            raise FormatError("a function of the graph has no name", got=repr(body)[:80])
        yield signature["name"], list(_nodes(body.get("nodeDef", [])))


def _signed(signed: Table, nodes: list[Table], structured: object) -> Graph:
    """Inputs and outputs by the signature's names, or by those of structured outputs."""
    names = {node["name"] for node in nodes}
    notes: list[str] = []
    inputs = _side(signed.get("inputs"), names, notes)
    outputs = _side(signed.get("outputs"), names, notes)
    if isinstance(structured, list) and all(isinstance(key, str) for key in structured):
        if len(structured) == len(outputs):
            outputs = dict(zip(structured, outputs.values(), strict=True))
        else:
            notes.append("its structured outputs are not as many as its signature's")
    return Graph(Signature(inputs, outputs), signed=True, notes=notes)


def _side(value: object, names: set[str], notes: list[str]) -> dict[str, Tensor]:
    """One side of a signature; TensorFlow.js passes over entries that the graph has no node for."""
    entries = value if isinstance(value, dict) else {}
    found: dict[str, Tensor] = {}
    absent = resources = 0
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise FormatError("the signature does not say which tensor it means", got=key[:80])
        if str(entry.get("dtype")) in _RESOURCES or "resourceId" in entry:
            resources += 1
        elif entry["name"].partition(":")[0] not in names:
            absent += 1
        else:
            found[key] = Tensor(_dtype(entry.get("dtype")), _shape(entry.get("tensorShape")))
    if absent:
        notes.append(f"{absent} entries of its signature are not in its graph")
    if resources:
        notes.append(f"{resources} tables that TensorFlow.js hands over by itself")
    return found


def _unsigned(nodes: list[Table]) -> Signature:
    """Placeholders, and the nodes that no other takes: what TensorFlow.js takes for the ends."""
    taken = set()
    for node in nodes:
        inputs = node.get("input", [])
        for each in inputs if isinstance(inputs, list) else ():
            taken.add(str(each).removeprefix("^").partition(":")[0])
    return Signature(
        {node["name"]: _attributes(node) for node in nodes if node["op"].startswith("Placeholder")},
        {node["name"]: _attributes(node) for node in nodes if node["name"] not in taken},
    )


def _attributes(node: Table) -> Tensor:
    """What a placeholder says of itself; other operators say nothing."""
    attributes = node.get("attr")
    if not (isinstance(attributes, dict) and node["op"].startswith("Placeholder")):
        return Tensor("unknown")
    dtype, shape = attributes.get("dtype"), attributes.get("shape")
    return Tensor(
        _dtype(dtype.get("type") if isinstance(dtype, dict) else None),
        _shape(shape.get("shape") if isinstance(shape, dict) else None),
    )


def _dtype(value: object) -> str:
    return _DTYPES.get(value, "unknown") if isinstance(value, str | int) else "unknown"


def _shape(value: object) -> tuple[Dimension, ...] | None:
    """A TensorShapeProto; protobuf's JSON leaves out what is empty or zero."""
    if not isinstance(value, dict) or value.get("unknownRank"):
        return None
    dims = value.get("dim", [])
    if not isinstance(dims, list) or len(dims) > RANK:
        raise FormatError("a shape has too many dimensions", expected=f"at most {RANK}")
    return tuple(_size(dim) for dim in dims)


def _size(dim: object) -> int | None:
    size = str(dim.get("size", "")) if isinstance(dim, dict) else ""
    return int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None
