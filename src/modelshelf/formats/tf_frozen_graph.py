"""A frozen GraphDef: operators with the weights among them as constants, and no signature."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from modelshelf.errors import FormatError
from modelshelf.formats.facts import (
    Facts,
    Format,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.protobuf import Bytes, Wire
from modelshelf.formats.spans import disjoint
from modelshelf.formats.tf_checkpoint import numeric
from modelshelf.formats.tf_graph import Graph, constant_spans, graph_of
from modelshelf.formats.tf_objects import Objects
from modelshelf.formats.tf_operators import is_foreign
from modelshelf.formats.tf_risks import graph_risks, packages
from modelshelf.formats.tf_types import whole
from modelshelf.package.signature import Signature, Tensor

UNSAID = (
    "Which tensors are its outputs is not in a frozen graph.",
    "Its placeholders are taken for its inputs; which of them a caller must give is not said.",
    "Weights are constants like any other: sizes and axes count as parameters too.",
    "The version of TensorFlow that wrote it is not in the file.",
)
OPEN_RANK_VERSION = 24
"""Before this version of GraphDef a placeholder without sizes had any rank."""

# A GraphDef begins with a node, a node with its name, which is followed by its operator.
_HEAD = re.compile(rb"\x0a(?:[\x80-\xff]{0,4}[\x00-\x7f])\x0a([\x01-\x7f])([A-Za-z0-9.])")
_OPERATOR = re.compile(rb"\x12[\x01-\x7f][A-Z_]")


def read(path: Path) -> Facts:
    """What a `.pb` file with a GraphDef says."""
    if path.stat().st_size == 0:
        raise FormatError("the file is empty", hint="export the model again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return facts_of(data, path.name)


def facts_of(data: Bytes, file: str) -> Facts:
    """The same from bytes; `file` is the file's name."""
    wire = Wire(data)
    graph = graph_of(wire, [whole(wire)])
    if not graph.nodes:
        raise FormatError(
            "there is no graph in the file",
            expected="nodes of a GraphDef",
            hint="the file is cut off, or no frozen graph",
        )
    tensors = tuple(tensor for tensor, _ in graph.constants)
    spans = disjoint(constant_spans(graph))
    return Facts(
        format="tf-frozen-graph",
        framework="tensorflow",
        tensors=tensors,
        signatures=_signatures(graph),
        parameters=parameter_count(numeric(tensors)),
        ops=dict(sorted(graph.ops.items())),
        code=tuple(
            name for name in sorted(graph.ops) if is_foreign(name) and name not in graph.functions
        ),
        precision=precision_of(numeric(tensors)),
        python_packages=tuple(sorted(packages(graph))),
        unsaid=UNSAID,
        notes=_notes(graph),
        risks=(
            *graph_risks(wire, graph, Objects(), None, [], file),
            *author_paths(graph.texts, file),
        ),
        spans={file: spans} if spans else {},
    )


def claims(path: Path, head: bytes) -> bool:
    """A `.pb` file that begins with a node: a name, then an operator or what it takes."""
    match = _HEAD.match(head) if path.suffix.lower() == ".pb" else None
    if match is None:
        return False
    after = match.start(1) + 1 + match.group(1)[0]
    return after < len(head) and _OPERATOR.match(head, after) is not None


def _signatures(graph: Graph) -> dict[str, Signature]:
    """The placeholders that have no value of their own as inputs; outputs are not known."""
    inputs = {
        name: tensor
        if graph.producer >= OPEN_RANK_VERSION
        else Tensor(tensor.dtype, tensor.shape or None)
        for name, tensor in graph.placeholders.items()
        if not tensor.optional
    }
    return {"default": Signature(inputs, {})} if inputs else {}


def _notes(graph: Graph) -> tuple[str, ...]:
    optional = [name for name, tensor in graph.placeholders.items() if tensor.optional]
    return (
        f"GraphDef version {graph.producer}",
        *(f"{name[:200]} has a value unless a caller gives one" for name in optional[:50]),
    )


FORMAT = Format(
    name="tf-frozen-graph",
    framework="tensorflow",
    suffixes=(".pb",),
    contexts=("python", "other-language"),
    advantages="Size saving. Suitable for inference-only usage.",
    disadvantages="Parameters in it cannot be changed.",
    claims=claims,
    read=read,
)
