"""TensorFlow checkpoints: named values in data files, and an index of where each of them lies.

TensorFlow 1 stores them by the names of variables, TensorFlow 2 by the path of attributes that
leads to an object; the graph of objects that it stores too tells the variables' own names.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from modelshelf.formats.facts import Facts, Format, TensorInfo, parameter_count, precision_of
from modelshelf.formats.tf_bundle import SUFFIX, Bundle, missing, object_graph, read_bundle
from modelshelf.formats.tf_objects import names_by_key

UNSAID = (
    "A checkpoint says nothing of inputs, outputs or the algorithm.",
    "The version of TensorFlow that wrote it is not in the file.",
)


def read(path: Path) -> Facts:
    """What the index of a checkpoint says; of its data files only the object graph is read."""
    bundle = read_bundle(path)
    names = readable_names(bundle)
    tensors = named_tensors(bundle, names)
    unsaid: tuple[str, ...] = UNSAID
    if any(each.dtype in {"variant", "unknown"} for each in tensors):
        unsaid = (*UNSAID, "Values of dtype variant or unknown are opaque bytes.")
    return Facts(
        format="tf-checkpoint",
        framework="tensorflow",
        tensors=tensors,
        parameters=parameter_count(numeric(tensors)),
        precision=precision_of(numeric(tensors)),
        companions=bundle.data_files,
        unsaid=unsaid,
        notes=_notes(bundle, objects=names is not None),
        risks=missing(bundle, path.name),
        spans=bundle.spans(names),
    )


def readable_names(bundle: Bundle) -> dict[str, str] | None:
    """The tensors' names by key; None where no object graph tells them.

    Copies that Keras 3 exports of its variables have an empty one.
    """
    graph = object_graph(bundle)
    if graph is None:
        return None
    names = names_by_key(graph)
    readable = {each.name: names.get(each.name, each.name) for each in bundle.tensors}
    count = Counter([*readable, *readable.values()])
    # a name that another tensor has too, or has as its key, would be ambiguous
    return {key: key if name and count[name] > 1 else name for key, name in readable.items()}


def named_tensors(bundle: Bundle, names: dict[str, str] | None) -> tuple[TensorInfo, ...]:
    """The tensors by readable `names` where there are any; copies are left out."""
    if names is None:
        return bundle.tensors
    return tuple(
        msgspec.structs.replace(each, name=name)
        for each in bundle.tensors
        if (name := names[each.name])
    )


def numeric(tensors: tuple[TensorInfo, ...]) -> tuple[TensorInfo, ...]:
    """The tensors of numbers: texts are no parameters."""
    return tuple(
        each for each in tensors if each.dtype not in {"string", "resource", "variant", "unknown"}
    )


def claims(path: Path, head: bytes) -> bool:
    """By its suffix, and the empty first key of the table: a block that begins with the header."""
    return path.suffix.lower() == SUFFIX and head[:2] == b"\0\0"


def _notes(bundle: Bundle, *, objects: bool) -> tuple[str, ...]:
    notes = ["objects of TensorFlow 2" if objects else "variables by name, as TensorFlow 1 saves"]
    if bundle.big_endian:
        notes.append("values are big-endian")
    if bundle.pieces:
        notes.append(f"{len(bundle.pieces)} slices of tensors that were cut up")
    if not bundle.checked:
        notes.append("the index is large: only its beginning was checked against its checksums")
    if bundle.path.with_name(f"{bundle.prefix}.meta").is_file():
        notes.append("a training graph lies beside it (.meta), which is no part of the checkpoint")
    return tuple(notes)


FORMAT = Format(
    name="tf-checkpoint",
    framework="tensorflow",
    suffixes=(SUFFIX,),
    contexts=("python",),
    advantages="Suitable for recording training process.",
    disadvantages="Not suitable for deployment.",
    claims=claims,
    read=read,
)
