"""The objects that TensorFlow 2's tensors and functions belong to, in checkpoints and SavedModels.

Sources: `trackable_object_graph.proto`, `saved_object_graph.proto`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.protobuf import DELIMITED, Field, Wire
from modelshelf.formats.tf_types import dtype_word, shape_of

OBJECT_COUNT = 500_000
METADATA_BYTES = 16 * 1024 * 1024
"""The longest description that Keras gives of one layer or model."""
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
"""How the key of an object's own value ends."""
COPIES = "_all_variables/"
"""How the keys begin under which Keras 3 exports all variables again."""


def names_by_key(graph: bytes) -> dict[str, str]:
    """Readable names by checkpoint key, from a TrackableObjectGraph: a variable's own full name.

    Where two variables have the same name, or one has none, it is the path by which the object is
    reached: the key without its suffix. Keras 3 exports every variable a second time, under
    `_all_variables`: such a copy has the name "".
    """
    named = dict(_attributes(Wire(graph)))
    count = Counter(name for key, name in named.items() if not key.startswith(COPIES))
    return {key: _readable(key, name, count[name]) for key, name in named.items()}


def _readable(key: str, name: str, count: int) -> str:
    if key.startswith(COPIES) and name and count:
        return ""
    return name if name and count <= 1 else key.removesuffix(SUFFIX)


def _attributes(wire: Wire) -> list[tuple[str, str]]:
    """Checkpoint key and full name of every saved attribute of every object."""
    found = []
    for node in wire.fields(0, len(wire)):
        if node.number != 1:
            continue
        for part in wire.inside(node):
            if part.number != 2:
                continue
            texts = {2: "", 3: ""}
            for inner in wire.inside(part):
                if inner.number in texts and inner.wire == DELIMITED:
                    texts[inner.number] = wire.text(inner)
            if texts[3]:
                found.append((texts[3], texts[2]))
    return found


@dataclass
class Objects:
    """What a SavedObjectGraph says: an entry of `kinds` for each object.

    An object's kind is `asset`, `constant NAME` with the node that holds it, or empty. `bound` are
    the objects that a function captured, as its last arguments, by its name; `metadata` are what
    Keras wrote of its layers.
    """

    kinds: list[str] = field(default_factory=list)
    variables: list[TensorInfo] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)
    bound: dict[str, list[int]] = field(default_factory=dict)


def saved_objects(wire: Wire, graphs: Iterable[Field]) -> Objects:
    """Walk the object graph of a SavedModel once."""
    objects = Objects()
    for part in (part for each in graphs for part in wire.inside(each)):
        if part.number == 1:
            if len(objects.kinds) >= OBJECT_COUNT:
                raise FormatError(f"the model has more than {OBJECT_COUNT} objects")
            objects.kinds.append(_kind(wire, part, objects))
        elif part.number == 2:
            _bound(wire, part, objects)
    return objects


def _kind(wire: Wire, message: Field, objects: Objects) -> str:
    kind = ""
    for part in wire.inside(message):
        match part.number:
            case 4:
                objects.metadata += [
                    described(wire, inner) for inner in wire.inside(part) if inner.number == 3
                ]
            case 5:
                kind = "asset"
            case 7:
                _variable(wire, part, objects)
            case 9:
                names = [wire.text(inner) for inner in wire.inside(part) if inner.number == 1]
                kind = f"constant {names[-1] if names else ''}"
    return kind


def described(wire: Wire, part: Field) -> str:
    """What Keras wrote of a layer; raises FormatError if it is longer than any real one."""
    if part.end - part.start > METADATA_BYTES:
        raise FormatError(
            "the description of a layer is longer than any real one",
            expected=f"at most {METADATA_BYTES} bytes",
            got=part.end - part.start,
        )
    return wire.text(part, METADATA_BYTES)


def _variable(wire: Wire, message: Field, objects: Objects) -> None:
    name = ""
    dtype = 0
    shape: tuple[int | None, ...] | None = ()
    for part in wire.inside(message):
        if part.number == 1:
            dtype = part.value
        elif part.number == 2:
            shape = shape_of(wire, part)
        elif part.number == 6:
            name = wire.text(part)
    if shape is not None and None not in shape:
        sizes = tuple(size for size in shape if size is not None)
        objects.variables.append(TensorInfo(name, dtype_word(dtype), sizes))


def _bound(wire: Wire, entry: Field, objects: Objects) -> None:
    name = ""
    captured: list[int] = []
    for part in wire.inside(entry):
        if part.number == 1:
            name = wire.text(part)
        elif part.number == 2:
            for inner in wire.inside(part):
                if inner.number == 2:
                    captured += wire.numbers(inner, OBJECT_COUNT)
    objects.bound[name] = captured
