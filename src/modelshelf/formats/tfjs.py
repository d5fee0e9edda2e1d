"""TensorFlow.js: `model.json` with a topology and a list of weights, which lie in files beside it.

Source: `ModelJSON` in `tfjs-core/src/io/types.ts`. Nothing in such a model is run but TensorFlow.js'
own operators and layers, and those that the caller's script registers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.formats.facts import Facts, Format, Risk, author_paths, precision_of
from modelshelf.formats.spans import by_file
from modelshelf.formats.tfjs_graph import graph_of
from modelshelf.formats.tfjs_layers import layers_of
from modelshelf.formats.tfjs_weights import Weights, weights_of
from modelshelf.formats.window import opened

JSON_BYTES = 32 * 1024 * 1024
"""The longest `model.json`: weights are not in it, only the graph's nodes and their names."""
METADATA_CHARACTERS = 65_536

Table = dict[str, Any]

_MARKS = (b'"modelTopology"', b'"weightsManifest"', b'"graph-model"', b'"layers-model"')
_VERSION = re.compile(r"v?(\d[\w.+-]{0,40})$")


def read(path: Path) -> Facts:
    """Topology and weights of a `model.json`; the weights' files are measured, not read."""
    with opened(path, allowance=JSON_BYTES) as window:
        model = _parsed(window.read())
    topology, manifest = model.get("modelTopology"), model.get("weightsManifest")
    if topology is None and manifest is None:
        raise FormatError(
            "there is no TensorFlow.js model in the file",
            expected="modelTopology or weightsManifest",
            got=", ".join(list(model)[:10])[:200],
        )
    weights = weights_of(manifest, path.parent) if manifest is not None else Weights()
    shared = _shared(model, weights, path.name)
    if topology is None:
        return Facts(**shared, unsaid=("The file names weights, and not what uses them.",))
    if _is_graph(topology, model.get("format")):
        return _graph(model, shared, path.name)
    return _layers(topology, shared, path.name)


def claims(path: Path, head: bytes) -> bool:
    """JSON that begins with one of TensorFlow.js' keys."""
    return path.suffix.lower() == ".json" and any(mark in head for mark in _MARKS)


def _parsed(content: bytes) -> Table:
    try:
        model = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        raise FormatError(
            "the file is no JSON as TensorFlow.js reads it", got=str(error)[:200]
        ) from error
    if not isinstance(model, dict):
        raise FormatError("the file is no table", got=type(model).__name__)
    return model


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one table")
    return table


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _is_graph(topology: object, told: object) -> bool:
    """Whether the topology is a graph, or layers; raises FormatError where it is both or neither."""
    if not isinstance(topology, dict):
        raise FormatError("the topology is no table", got=type(topology).__name__)
    graph, layers = "node" in topology, "class_name" in topology or "model_config" in topology
    known = {"graph-model": True, "layers-model": False}
    if graph == layers or known.get(str(told), graph) != graph:
        raise FormatError(
            "the topology is not of the kind that the file tells",
            expected=str(told)[:40] if told else "the nodes of a graph, or the class of a model",
            got=", ".join(list(topology)[:10])[:200],
        )
    return graph


def _shared(model: Table, weights: Weights, file: str) -> Table:
    """What both kinds of model say in the same way."""
    makers = [model.get(key) for key in ("convertedBy", "generatedBy")]
    notes = [f"{key}: {str(model[key])[:200]}" for key in ("format", "generatedBy", "convertedBy")
             if model.get(key)]  # fmt: skip
    if isinstance(model.get("trainingConfig"), dict):
        notes.append("says how it was trained: optimizer and loss")
    metadata = json.dumps(model.get("userDefinedMetadata"))[:METADATA_CHARACTERS]
    return {
        "format": "tfjs",
        "framework": "tensorflow.js",
        "framework_version": _version(next((each for each in makers if each), None)),
        "tensors": tuple(weights.tensors),
        "parameters": weights.parameters,
        "precision": precision_of(weights.tensors),
        "companions": tuple(weights.files),
        "notes": (*notes, *weights.notes),
        "risks": (*weights.risks(file), *author_paths([metadata], file)),
        "spans": by_file(weights.spans),
    }


def _version(maker: object) -> str | None:
    """`4.22.0` of `TensorFlow.js Converter v4.22.0`."""
    found = _VERSION.search(maker[-60:]) if isinstance(maker, str) else None
    return found.group(1) if found else None


def _graph(model: Table, shared: Table, file: str) -> Facts:
    graph = graph_of(model)
    unsaid: tuple[str, ...] = (
        "Which of a SavedModel's signatures it was converted from, if from one.",
    )
    if not graph.signed:
        unsaid = ("Names of inputs and outputs for callers; they are those of the graph's ends.",
                  "The dtypes and shapes of its outputs.")  # fmt: skip
    return Facts(**shared | {
        "signatures": {"default": graph.signature},
        "signature_known": graph.signed,
        "ops": dict(sorted(graph.ops.items())),
        "code": tuple(graph.foreign),
        "unsaid": unsaid,
        "notes": (*shared["notes"], *graph.notes),
        "risks": (*shared["risks"], *(Risk("custom-op", op, file) for op in graph.foreign)),
    })  # fmt: skip


def _layers(topology: Table, shared: Table, file: str) -> Facts:
    layers = layers_of(topology)
    return Facts(**shared | {
        "signatures": {"default": layers.signature},
        "signature_known": bool(layers.signature.inputs),
        "ops": dict(sorted(layers.ops.items())),
        "code": (*layers.foreign, *layers.functions),
        "unsaid": ("The shapes of its outputs: TensorFlow.js computes them when it builds the model.",),
        "risks": (
            *shared["risks"],
            *(Risk("custom-class", name, file) for name in layers.foreign),
            *(Risk("lambda", name, file) for name in layers.functions),
        ),
    })  # fmt: skip


FORMAT = Format(
    name="tfjs",
    framework="tensorflow",
    suffixes=(".json",),
    contexts=("javascript",),
    advantages="Can be used in JavaScript environment.",
    disadvantages="May have less support than traditional TensorFlow.",
    claims=claims,
    read=read,
    carriers=("model.json",),
)
