"""Keras' configuration of a model: its layers, its inputs, and what loading would import.

Source: `keras/src/saving/serialization_lib.py`: every object is a table with `module`,
`class_name`, `config` and `registered_name`. What is not Keras' own, by an exact list, is a risk.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.package.signature import Dimension, Signature, Tensor

OBJECT_COUNT = 1_000_000
RANK = 64

# Layers of Keras' own that run or read what the publisher chose.
HARMFUL = {
    "Lambda": ("lambda", "a Lambda layer"),
    "__lambda__": ("lambda", "a Python function"),
    "TorchModuleWrapper": ("pickle-global", "a PyTorch module as a pickle"),
    "TFSMLayer": ("file-op", "a layer that loads a SavedModel from a path"),
}
# Stand-ins for values, made without any import.
VALUES = {"__keras_tensor__", "__numpy__", "__tensor__", "__bytes__", "__typespec__",
          "__ellipsis__", "slice"}  # fmt: skip
MODELS = {"Functional", "Sequential", "Model"}
MODEL_MODULES = ("keras.models", "keras.engine")


@dataclass
class Config:
    """What the configuration says: layers by class with their count, inputs, what is not Keras'."""

    layers: Counter[str] = field(default_factory=Counter)
    inputs: dict[str, Tensor] = field(default_factory=dict)
    foreign: dict[str, None] = field(default_factory=dict)
    risks: dict[tuple[str, str], None] = field(default_factory=dict)

    def signatures(self) -> dict[str, Signature]:
        """The inputs, where the model has any; outputs are not in the configuration."""
        return {"default": Signature(self.inputs, {})} if self.inputs else {}


def parsed(text: bytes) -> Config:
    """Look through a configuration; raises FormatError where it is no JSON or names a key twice."""
    try:
        root = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise FormatError("the configuration is no JSON", got=str(error)[:200]) from error
    if not isinstance(root, dict):
        raise FormatError("the configuration is no table")
    found = Config(inputs=_inputs(root))
    for each in _tables(root):
        name = each.get("class_name")
        if isinstance(name, str):
            _note(found, each, name)
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one table")
    return table


def _tables(root: object) -> Iterator[dict[str, Any]]:
    """Every table, without recursion."""
    pending = [root]
    count = 0
    while pending:
        count += 1
        if count > OBJECT_COUNT:
            raise FormatError(f"the configuration has more than {OBJECT_COUNT} values")
        each = pending.pop()
        if isinstance(each, dict):
            yield each
            pending += each.values()
        elif isinstance(each, list):
            pending += each


def _note(found: Config, each: dict[str, Any], name: str) -> None:
    """Count a layer, or note what is not Keras' own."""
    module = each.get("module")
    if name == "function":
        name, functions = str(each.get("config")), True
    else:
        functions = False
    if not functions and _is_layer(each, name):
        found.layers[name] += 1
    if name in VALUES:
        return
    if name in HARMFUL and not functions:
        kind, what = HARMFUL[name]
        label = each["config"].get("name", "") if isinstance(each.get("config"), dict) else ""
        found.risks[kind, f"{what} {label}".strip()] = None
        found.foreign[f"{module or 'keras'}.{name}"] = None
    elif not _own(module, name, functions=functions):
        label = f"{module}.{name}" if module else str(each.get("registered_name") or name)
        found.foreign[label] = None
        found.risks[_kind(module, functions=functions), label] = None


def _own(module: object, name: str, *, functions: bool) -> bool:
    """Whether it is one of Keras' own; older files name no module."""
    lists = _allowed()["functions" if functions else "classes"]
    if module is None:
        return any(name in names for names in lists.values()) or name in MODELS
    if not isinstance(module, str):
        return False
    if not functions and name in MODELS:
        return any(_within(module, known) for known in MODEL_MODULES) or module == "keras"
    if functions and module == "builtins":  # how Keras writes its own activations
        return any(name in names for names in lists.values())
    return any(name in names for known, names in lists.items() if _within(module, known))


def _is_layer(each: dict[str, Any], name: str) -> bool:
    """Whether it computes: a layer, an operation, a model; not an initializer or an optimizer."""
    own = name in MODELS or name in _allowed()["classes"]["keras.layers"] or name == "Lambda"
    is_operation = ".ops." in str(each.get("module"))
    return own or is_operation or "build_config" in each


def _within(module: str, known: str) -> bool:
    """`keras.layers` and what lies below it, also as `keras.src.layers`."""
    plain = module.replace("keras.src", "keras", 1).replace("tf_keras", "keras", 1)
    return plain == known or plain.startswith(f"{known}.")


def _kind(module: object, *, functions: bool) -> str:
    """A class of the publisher's own asks for consent; a function, or another library's, is blocked."""
    root = str(module or "").split(".")[0]
    known = root in sys.stdlib_module_names or root in {"keras", "tf_keras", "tensorflow", "torch",
                                                        "numpy", "jax"}  # fmt: skip
    return "foreign-import" if functions or known else "custom-class"


@cache
def _allowed() -> dict[str, dict[str, list[str]]]:
    text = files("modelshelf.formats").joinpath("keras_classes.json").read_text("utf-8")
    lists: dict[str, dict[str, list[str]]] = json.loads(text)
    return lists


def _inputs(root: dict[str, Any]) -> dict[str, Tensor]:
    """The input layers of the outermost model, by their names."""
    config = root.get("config")
    layers = config.get("layers") if isinstance(config, dict) else None
    found: dict[str, Tensor] = {}
    for layer in layers if isinstance(layers, list) else ():
        if not (isinstance(layer, dict) and layer.get("class_name") == "InputLayer"):
            continue
        told = layer.get("config")
        if isinstance(told, dict) and isinstance(told.get("name"), str):
            shape = told.get("batch_shape", told.get("batch_input_shape"))
            found[told["name"]] = Tensor(
                _dtype(told.get("dtype")), _shape(shape), optional=told.get("optional") is True
            )
    return found


def _dtype(told: object) -> str:
    """A word, or the policy of which it is the name."""
    if isinstance(told, dict) and isinstance(told.get("config"), dict):
        told = told["config"].get("name")
    return str(told)[:40] if told else "float32"


def _shape(told: object) -> tuple[Dimension, ...] | None:
    if not isinstance(told, list) or len(told) > RANK:
        return None
    return tuple(size if type(size) is int and size >= 0 else None for size in told)
