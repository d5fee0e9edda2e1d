"""The graphs of a SavedModel with their signatures, assets and objects, one for each set of tags.

Field numbers are those of `saved_model.proto` and `meta_graph.proto`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from modelshelf.errors import FormatError
from modelshelf.formats.protobuf import DELIMITED, VARINT, Field, Wire
from modelshelf.formats.tf_graph import Graph, graph_of
from modelshelf.formats.tf_objects import Objects, saved_objects
from modelshelf.formats.tf_types import dtype_word, loose_text, shape_of
from modelshelf.package.signature import Signature, Tensor

GRAPH_COUNT = 64
SIGNATURE_COUNT = 10_000
ASSET_COUNT = 10_000

_ASSETS = "saved_model_assets"
_INTERNAL = "__saved_model_"
"""How the names of signatures begin that TensorFlow keeps for itself (initialisation, training)."""


@dataclass
class MetaGraph:
    """One graph of a SavedModel. `assets` are file names by the node that holds each one's path."""

    tags: list[str] = field(default_factory=list)
    version: str | None = None
    signatures: dict[str, Signature] = field(default_factory=dict)
    assets: list[tuple[str, str]] = field(default_factory=list)
    saver: str | None = None
    graph: Graph = field(default_factory=Graph)
    objects: Objects = field(default_factory=Objects)


def metagraphs(wire: Wire) -> list[MetaGraph]:
    """Every graph of a SavedModel; raises FormatError where there is none."""
    version = 0
    found: list[Field] = []
    for part in wire.fields(0, len(wire)):
        if part.number == 1 and part.wire == VARINT:
            version = part.value
        elif part.number == 2:
            found.append(part)
    if version != 1 or not found:
        raise FormatError(
            "there is no SavedModel in the file",
            expected="version 1 of the schema and a graph",
            got=f"version {version}, {len(found)} graphs",
            hint="the file is cut off, or no SavedModel",
        )
    if len(found) > GRAPH_COUNT:
        raise FormatError(f"the SavedModel has more than {GRAPH_COUNT} graphs", got=len(found))
    return [_metagraph(wire, part) for part in found]


def _metagraph(wire: Wire, message: Field) -> MetaGraph:
    meta = MetaGraph()
    graphs: list[Field] = []
    objects: list[Field] = []
    for part in wire.inside(message):
        match part.number:
            case 1:
                _info(wire, part, meta)
            case 2:
                graphs.append(_message(part))
            case 3:
                meta.saver = _last_text(wire, part, 1) or meta.saver
            case 4:
                _collection(wire, part, meta)
            case 5:
                _signature_entry(wire, part, meta)
            case 6:
                _asset(wire, part, meta)
            case 7:
                objects.append(_message(part))
    meta.graph = graph_of(wire, graphs)
    meta.objects = saved_objects(wire, objects)
    return meta


def _info(wire: Wire, message: Field, meta: MetaGraph) -> None:
    for part in wire.inside(message):
        if part.number == 4 and len(meta.tags) < 100:
            meta.tags.append(wire.text(part, 200))
        elif part.number == 5:
            meta.version = wire.text(part, 200) or meta.version


def _signature_entry(wire: Wire, entry: Field, meta: MetaGraph) -> None:
    """One signature; those that TensorFlow keeps for itself have neither inputs nor outputs."""
    name = ""
    values: list[Field] = []
    for part in wire.inside(entry):
        if part.number == 1:
            name = wire.text(part)
        elif part.number == 2:
            values.append(_message(part))
    if name.startswith(_INTERNAL):
        return
    if len(meta.signatures) >= SIGNATURE_COUNT:
        raise FormatError(f"the graph has more than {SIGNATURE_COUNT} signatures")
    signature = _signature(wire, values)
    if signature.inputs or signature.outputs:
        meta.signatures[name] = signature


def _signature(wire: Wire, messages: Iterable[Field]) -> Signature:
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    optional: set[str] = set()
    for part in (part for message in messages for part in wire.inside(message)):
        match part.number:
            case 1:
                name, tensor = _named(wire, part)
                inputs[name] = tensor
            case 2:
                name, tensor = _named(wire, part)
                outputs[name] = tensor
            case 4:
                optional.add(_last_text(wire, part, 1) or "")
    return Signature(
        {
            name: Tensor(inputs[name].dtype, inputs[name].shape, optional=name in optional)
            for name in sorted(inputs)
        },
        dict(sorted(outputs.items())),
    )


def _named(wire: Wire, entry: Field) -> tuple[str, Tensor]:
    name = ""
    tensor = Tensor("unknown")
    for part in wire.inside(entry):
        if part.number == 1:
            name = wire.text(part)
        elif part.number == 2:
            tensor = _tensor(wire, part)
    return name, tensor


def _tensor(wire: Wire, message: Field) -> Tensor:
    """A TensorInfo; a sparse or composite one gets a descriptive dtype such as `sparse(float32)`."""
    dtype = "unknown"
    shape: tuple[int | None, ...] | None = None
    kind = ""
    for part in wire.inside(message):
        match part.number:
            case 2:
                dtype = dtype_word(part.value)
            case 3:
                shape = shape_of(wire, part)
            case 4:
                kind = "sparse"
            case 5:
                kind = "composite"
                dtype = ",".join(_components(wire, part))
    return Tensor(f"{kind}({dtype})" if kind else dtype, None if kind == "composite" else shape)


def _components(wire: Wire, composite: Field) -> list[str]:
    """The dtypes of the tensors that a composite tensor (a ragged one, say) is made of."""
    found: list[str] = []
    for component in wire.inside(composite):
        if component.number == 2 and len(found) < 16:
            found += [dtype_word(part.value) for part in wire.inside(component) if part.number == 2]
    return found


def _collection(wire: Wire, entry: Field, meta: MetaGraph) -> None:
    """One collection of TensorFlow 1, which keeps the assets in one of them."""
    parts = list(wire.inside(entry))
    if _ASSETS not in (wire.text(part, 200) for part in parts if part.number == 1):
        return
    lists = _below(wire, (part for part in parts if part.number == 2), 5)
    for asset in _below(wire, _below(wire, lists, 1), 2):
        _asset(wire, asset, meta)


def _below(wire: Wire, messages: Iterable[Field], number: int) -> list[Field]:
    """The fields of that number of all the messages."""
    return [part for each in messages for part in wire.inside(each) if part.number == number]


def _asset(wire: Wire, message: Field, meta: MetaGraph) -> None:
    if len(meta.assets) >= ASSET_COUNT:
        raise FormatError(f"the graph has more than {ASSET_COUNT} assets")
    tensor = ""
    filename = ""
    for part in wire.inside(message):
        if part.number == 1:
            tensor = _last_text(wire, part, 1) or ""
        elif part.number == 2:
            filename = loose_text(wire, part)
    meta.assets.append((tensor.partition(":")[0], filename))


def _last_text(wire: Wire, message: Field, number: int) -> str | None:
    """The text of field `number` of a message; the last one counts."""
    texts = [wire.text(part) for part in wire.inside(message) if part.number == number]
    return texts[-1] if texts else None


def _message(part: Field) -> Field:
    if part.wire != DELIMITED:
        raise FormatError(f"field {part.number} is no message", where=f"byte {part.start}")
    return part
