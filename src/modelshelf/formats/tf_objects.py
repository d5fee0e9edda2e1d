"""The objects that TensorFlow 2's tensors belong to: what names a checkpoint's keys stand for.

Source: `trackable_object_graph.proto`.
"""

from __future__ import annotations

from collections import Counter

from modelshelf.formats.protobuf import DELIMITED, Wire

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
"""How the key of an object's own value ends."""


def names_by_key(graph: bytes) -> dict[str, str]:
    """Readable names by checkpoint key, from a TrackableObjectGraph: a variable's own full name.

    Where two variables have the same name (Keras 3 calls many `kernel`), or one has none, it is
    the path by which the object is reached: the key without its suffix.
    """
    named = dict(_attributes(Wire(graph)))
    count = Counter(named.values())
    return {
        key: name if name and count[name] == 1 else key.removesuffix(SUFFIX)
        for key, name in named.items()
    }


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
