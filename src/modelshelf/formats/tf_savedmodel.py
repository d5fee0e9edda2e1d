"""TensorFlow SavedModel: a folder with graphs, their signatures, and their variables beside them.

What is here is read from `saved_model.pb`, the index of the variables, and what Keras wrote; the
values of tensors are never read.
"""

from __future__ import annotations

import mmap
from pathlib import Path, PurePosixPath

from modelshelf.errors import FormatError
from modelshelf.formats.companion import refuse_link, stays
from modelshelf.formats.facts import (
    Facts,
    Format,
    Risk,
    TensorInfo,
    author_paths,
    parameter_count,
    precision_of,
)
from modelshelf.formats.protobuf import Bytes, Wire
from modelshelf.formats.spans import disjoint
from modelshelf.formats.tf_bundle import Bundle, missing, read_bundle
from modelshelf.formats.tf_checkpoint import named_tensors, numeric, readable_names
from modelshelf.formats.tf_graph import constant_spans
from modelshelf.formats.tf_metagraph import MetaGraph, metagraphs
from modelshelf.formats.tf_objects import described
from modelshelf.formats.tf_operators import is_foreign
from modelshelf.formats.tf_risks import graph_risks, lambda_risks, packages
from modelshelf.package.signature import Signature

FILE = "saved_model.pb"
INDEX = "variables/variables.index"
KERAS = "keras_metadata.pb"
DEBUG = "debug/saved_model_debug_info.pb"
OPTIONAL = ("fingerprint.pb", KERAS, DEBUG)
OTHERS = ("saved_model.cpb", "saved_model.pbtxt")
"""The same in other encodings: a loader may prefer them, and they are not looked into."""
DEBUG_BYTES = 1024 * 1024
"""How much of the debugging information is searched for paths."""

NO_SIGNATURE = "It was saved without signatures: only Python code that knows it can call it."

_VARIABLES = {"VarHandleOp", "VariableV2", "Variable"}
_HEAD = b"\x08\x01\x12"
"""Version 1 of the schema, then a graph."""


def read(path: Path) -> Facts:
    """What a SavedModel says; `path` is its `saved_model.pb`."""
    if path.stat().st_size == 0:
        raise FormatError("the file is empty", hint="export the model again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return facts_of(data, path)


def facts_of(data: Bytes, path: Path) -> Facts:
    """The same from bytes; `path` tells the folder in which variables and assets lie."""
    wire = Wire(data)
    graphs = metagraphs(wire)
    bundle = _variables(path.parent)
    names = readable_names(bundle) if bundle else None
    tensors = named_tensors(bundle, names) if bundle else _object_variables(graphs)
    assets = _assets(graphs, path.parent)
    spans = disjoint(span for each in graphs for span in constant_spans(each.graph))
    signatures = _signatures(graphs)
    return Facts(
        format="tf-savedmodel",
        framework="tensorflow",
        framework_version=next((each.version for each in graphs if each.version), None),
        tensors=tensors,
        signatures=signatures,
        signature_known=bool(signatures),
        parameters=parameter_count(numeric(tensors)),
        ops=_operators(graphs),
        code=_foreign(graphs),
        precision=precision_of(numeric(tensors)),
        companions=_companions(path.parent, bundle, assets, graphs),
        python_packages=tuple(sorted({name for each in graphs for name in packages(each.graph)})),
        unsaid=() if signatures else (NO_SIGNATURE,),
        notes=_notes(graphs),
        risks=_risks(wire, graphs, path, bundle, assets),
        spans=({path.name: spans} if spans else {})
        | (bundle.spans(names, "variables/") if bundle else {}),
    )


def claims(path: Path, head: bytes) -> bool:
    """By its name, or how a SavedModel begins; one beside `tfhub_module.pb` is a hub.Module's."""
    return path.suffix.lower() == ".pb" and (path.name == FILE or head.startswith(_HEAD))


def _variables(folder: Path) -> Bundle | None:
    """The index of the variables, if it is there; raises FormatError where it leads elsewhere."""
    index = folder / INDEX
    if not index.is_file():
        return None
    refuse_link(index, folder)
    return read_bundle(index)


def _signatures(graphs: list[MetaGraph]) -> dict[str, Signature]:
    """Signatures by name; of two of a name and different types, the one with more tags adds them."""
    found: dict[str, Signature] = {}
    for meta in sorted(graphs, key=lambda each: (each.tags != ["serve"], len(each.tags))):
        for name, signature in sorted(meta.signatures.items()):
            if found.setdefault(name, signature) != signature:
                found[f"{name}:{'-'.join(meta.tags)}"] = signature
    return found


def _operators(graphs: list[MetaGraph]) -> dict[str, int]:
    """How often each operator occurs, in all graphs together."""
    names = sorted({name for each in graphs for name in each.graph.ops})
    return {name: sum(each.graph.ops[name] for each in graphs) for name in names}


def _foreign(graphs: list[MetaGraph]) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                name
                for each in graphs
                for name in each.graph.ops
                if is_foreign(name) and name not in each.graph.functions
            }
        )
    )


def _object_variables(graphs: list[MetaGraph]) -> tuple[TensorInfo, ...]:
    """The variables that the object graph tells, where their index is not there."""
    return tuple(dict.fromkeys(each for meta in graphs for each in meta.objects.variables))


def _assets(graphs: list[MetaGraph], folder: Path) -> tuple[str, ...]:
    """The paths of the assets; raises FormatError where one leads out of the folder."""
    found: dict[str, None] = {}
    for name in (name for meta in graphs for _, name in meta.assets):
        if not stays(name):
            raise FormatError(
                "an asset lies outside the SavedModel",
                expected="a file in its folder assets",
                got=name[:200],
                hint="export the model again",
            )
        refuse_link(folder / "assets" / name, folder)
        found.setdefault(f"assets/{PurePosixPath(name)}")
    return tuple(found)


def _companions(
    folder: Path, bundle: Bundle | None, assets: tuple[str, ...], graphs: list[MetaGraph]
) -> tuple[str, ...]:
    variables: tuple[str, ...] = ()
    if bundle:
        variables = (INDEX, *(f"variables/{name}" for name in bundle.data_files))
    elif _has_variables(graphs):
        variables = (INDEX,)
    beside = (name for name in OPTIONAL if (folder / name).is_file())
    return (*variables, *assets, *beside)


def _has_variables(graphs: list[MetaGraph]) -> bool:
    return any(meta.objects.variables or meta.graph.ops.keys() & _VARIABLES for meta in graphs)


def _risks(
    wire: Wire,
    graphs: list[MetaGraph],
    path: Path,
    bundle: Bundle | None,
    assets: tuple[str, ...],
) -> tuple[Risk, ...]:
    found: list[Risk] = []
    for meta in graphs:
        nodes = [node for node, _ in meta.assets if node]
        found += graph_risks(wire, meta.graph, meta.objects, meta.saver, nodes, path.name)
        found += lambda_risks(meta.objects.metadata, path.name)
        found += author_paths(meta.graph.texts, path.name)
    found += keras_risks(path.parent / KERAS)
    found += author_paths(_debug_texts(path.parent / DEBUG), DEBUG)
    found += [
        Risk("unreadable", f"{name}: the model once more, which is not looked into", path.name)
        for name in OTHERS
        if (path.parent / name).exists()
    ]
    absent = [name for name in assets if not (path.parent / name).is_file()]
    if bundle is None and _has_variables(graphs):
        absent.append(INDEX)
    found += [Risk("external-data", f"{name} is missing", path.name) for name in absent]
    found += missing(bundle, path.name, "variables/") if bundle else ()
    return tuple(dict.fromkeys(found))


def keras_risks(path: Path) -> tuple[Risk, ...]:
    """Python functions in `keras_metadata.pb` (`saved_metadata.proto` of Keras), if it is there."""
    if not path.is_file() or path.stat().st_size == 0:
        return ()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        wire = Wire(data)
        nodes = [part for part in wire.fields(0, len(wire)) if part.number == 1]
        texts = (
            described(wire, part)
            for node in nodes
            for part in wire.inside(node)
            if part.number == 5
        )
        return lambda_risks(texts, path.name)


def _debug_texts(path: Path) -> list[str]:
    """What there is of names of files in the debugging information."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        return [file.read(DEBUG_BYTES).decode("latin-1")]


def _notes(graphs: list[MetaGraph]) -> tuple[str, ...]:
    notes = [f"tags: {', '.join(meta.tags) or 'none'}" for meta in graphs]
    tensors = [tensor for meta in graphs for tensor, content in meta.graph.constants if content]
    if tensors:
        notes.append(f"{parameter_count(tensors)} values are constants of the graph")
    return tuple(notes)


FORMAT = Format(
    name="tf-savedmodel",
    framework="tensorflow",
    suffixes=(".pb",),
    contexts=("python", "remote", "other-language"),
    advantages="Standard model saving format. Suitable for deployment.",
    disadvantages="May not support specialized usage context.",
    claims=claims,
    read=read,
    carriers=(FILE,),
)
