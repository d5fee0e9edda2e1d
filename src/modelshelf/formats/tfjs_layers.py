"""The topology of a layers model of TensorFlow.js: Keras' configuration, as JSON.

Source: `tfjs-layers/src/models.ts` and `utils/generic_utils.ts`. TensorFlow.js makes only classes
that it registers itself or that the caller's own script has registered before.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.package.signature import Dimension, Signature, Tensor

RANK = 64
MODEL_DEPTH = 32
"""Models within models that are followed to their inputs."""

Table = dict[str, Any]

# Stand-ins of Keras 3 for values and dtypes; they run nothing.
_VALUES = {"__keras_tensor__", "DTypePolicy"}
_LAYER_KEYS = {"layers", "cells", "layer", "cell", "forward_layer", "backward_layer"}
_SHAPE_KEYS = ("batch_input_shape", "batch_shape", "batchInputShape")


@dataclass
class Layers:
    """What the topology says."""

    signature: Signature
    ops: Counter[str] = field(default_factory=Counter)
    foreign: dict[str, None] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)


@cache
def words() -> dict[str, frozenset[str]]:
    """What TensorFlow.js 4.22 itself brings: `layers`, `others` (classes), `operators`."""
    text = files("modelshelf.formats").joinpath("tfjs_words.json").read_text("utf-8")
    return {kind: frozenset(names) for kind, names in json.loads(text).items()}


def layers_of(topology: Table) -> Layers:
    """Look through a topology; raises FormatError where it is not made as Keras' are."""
    model = topology.get("model_config", topology)
    if not isinstance(model, dict) or not isinstance(model.get("class_name"), str):
        raise FormatError("the topology names no class of a model", expected="class_name, config")
    found = Layers(Signature(_inputs(model, MODEL_DEPTH), _outputs(model)))
    known = words()["layers"] | words()["others"] | _VALUES
    pending: list[tuple[object, bool]] = [(model, False)]
    while pending:
        value, is_layer = pending.pop()
        if isinstance(value, list):
            pending += [(each, is_layer) for each in value]
        elif isinstance(value, dict):
            _note(found, value, known, is_layer=is_layer)
            pending += [(inner, key in _LAYER_KEYS) for key, inner in value.items()]
    return found


def _note(found: Layers, table: Table, known: frozenset[str], *, is_layer: bool) -> None:
    name = table.get("class_name")
    if not isinstance(name, str):
        return
    if is_layer:
        found.ops[name] += 1
    if name in {"Lambda", "__lambda__"}:
        label = table["config"].get("name") if isinstance(table.get("config"), dict) else None
        found.functions[f"{name} {label}" if isinstance(label, str) else name] = None
    elif name not in known:
        found.foreign[name] = None


def _children(model: Table) -> list[Table]:
    """The layers of a model: in its configuration, which older Sequentials are themselves."""
    config = model.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    return [each for each in layers if isinstance(each, dict)] if isinstance(layers, list) else []


def _config(layer: Table) -> Table:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def _name(layer: Table) -> str:
    return str(layer.get("name", _config(layer).get("name", "")))


def _inputs(model: Table, depth: int) -> dict[str, Tensor]:
    """Inputs by the names of their layers, as `LayersModel.inputs` has them."""
    if depth == 0:
        raise FormatError("models lie too deeply in models", expected=f"at most {MODEL_DEPTH}")
    layers = _children(model)
    named = _references(_config(model).get("input_layers"))
    if named:
        by_name = {_name(layer): _config(layer) for layer in layers}
        return {name: _tensor(by_name.get(name, {})) for name in named}
    if not layers:
        return {}
    first = layers[0]
    if _children(first):
        return _inputs(first, depth - 1)
    suffix = "" if first.get("class_name") == "InputLayer" else "_input"
    return {f"{_name(first)}{suffix}": _tensor(_config(first))}


def _outputs(model: Table) -> dict[str, Tensor]:
    """Outputs by the names of their layers; TensorFlow.js takes each for float32."""
    layers = _children(model)
    names = _references(_config(model).get("output_layers")) or [
        _name(each) for each in layers[-1:]
    ]
    seen: Counter[str] = Counter()
    found: dict[str, Tensor] = {}
    for name in names:
        found[f"{name}:{seen[name]}" if seen[name] else name] = Tensor("float32")
        seen[name] += 1
    return found


def _references(value: object) -> list[str]:
    """Names of layers: `[[name, 0, 0], ...]`, one of them alone, or a table of them."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    if value and isinstance(value[0], str):
        value = [value]
    return [
        each[0] for each in value if isinstance(each, list) and each and isinstance(each[0], str)
    ]


def _tensor(config: Table) -> Tensor:
    shape = next((config[key] for key in _SHAPE_KEYS if isinstance(config.get(key), list)), None)
    dtype = config.get("dtype")
    sizes: tuple[Dimension, ...] | None = None
    if shape is not None and len(shape) <= RANK:
        sizes = tuple(size if type(size) is int and size >= 0 else None for size in shape)
    return Tensor(dtype[:40] if isinstance(dtype, str) and dtype else "float32", sizes)
