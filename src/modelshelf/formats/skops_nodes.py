"""The tree of objects in a skops file, and which of its types somebody vouches for.

Source: `skops/io/_audit.py`, `_general.py`, `_numpy.py`, `_sklearn.py`. skops loads what it trusts by
itself and what the user names; `skops_types.json` holds the first (written by
`tests/frameworks/skops_types.py`), the allow-list of pickles is taken too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from modelshelf.errors import FormatError
from modelshelf.formats.placeholders import Global
from modelshelf.formats.pytorch_imports import harmful

NODE_COUNT = 2_000_000
NAME_CHARACTERS = 4096

Node = Mapping[str, Any]

LOADERS = frozenset(
    {
        "BytearrayNode", "BytesNode", "CachedNode", "ConstructorFromReduceNode", "DTypeNode",
        "DefaultDictNode", "DictNode", "FunctionNode", "JsonNode", "ListNode", "LossNode",
        "MaskedArrayNode", "MethodNode", "NdArrayNode", "ObjectNode", "OperatorFuncNode",
        "PartialNode", "QuantileForestNode", "RandomGeneratorNode", "RandomStateNode", "SetNode",
        "SliceNode", "SparseMatrixNode", "TreeNode", "TupleNode", "TypeNode",
        "_DictWithDeprecatedKeysNode",
    }
)  # fmt: skip
"""Every loader that skops has, of today and of older protocols."""

# These reach for something by a name in the file, or bind a function to what it will be given.
_BY_NAME = frozenset({"MethodNode", "OperatorFuncNode", "PartialNode"})
# These call the type that they name.
_CALLING = frozenset({"ConstructorFromReduceNode", "FunctionNode", "LossNode", "TreeNode"})
_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_LIBRARIES = sys.stdlib_module_names | {
    "joblib", "numpy", "pandas", "pip", "scipy", "setuptools", "sklearn", "skops", "torch",
}  # fmt: skip
# A type that the publisher's own code may define has a module that can be written in an import.
_PLAIN = str.isidentifier


def nodes(root: object) -> Iterator[tuple[str, Node]]:
    """Every node with the way to it (`steps.0.1.coef_`), in the order of the file."""
    pending: list[tuple[str, object]] = [("", root)]
    for _ in range(NODE_COUNT):
        if not pending:
            return
        name, value = pending.pop()
        if isinstance(value, list):
            parts = [(_joined(name, str(at)), each) for at, each in enumerate(value)]
        elif isinstance(value, dict):
            if "__loader__" in value or "__class__" in value:
                yield name, value
            parts = list(_parts(name, value))
        else:
            continue
        pending += [part for part in reversed(parts) if isinstance(part[1], (dict, list))]
    raise FormatError(f"the file has more than {NODE_COUNT} parts")


def type_of(node: Node) -> Global:
    """The type that a node names; raises FormatError where it names none."""
    module, name, loader = (node.get(key) for key in ("__module__", "__class__", "__loader__"))
    if not (isinstance(module, str) and isinstance(name, str) and isinstance(loader, str)):
        raise FormatError("an object has no type", got=str(node)[:80])
    return Global(module, name)


def judged(node: Node) -> tuple[str, str] | None:
    """The kind of risk that a node is, and what of it; None where somebody vouches for it."""
    kind, loader = type_of(node), str(node["__loader__"])
    if loader not in LOADERS:
        return "unknown", f"{loader[:80]} for {kind}"
    if loader in _BY_NAME:
        return "evaluated", f"{loader} of {kind}"
    if loader == "RandomGeneratorNode" and _generator(node) not in _GENERATORS:
        return "evaluated", f"a generator of random numbers named {_generator(node)}"
    if loader == "FunctionNode" and "content" in node:  # protocol 0 names the function there
        return "pickle-global", f"{kind}: {str(node['content'])[:200]}"
    if loader in {"JsonNode", "CachedNode"} or kind in _trusted() or not harmful([kind]):
        return None
    parts = kind.module.split(".")
    own = parts[0] not in _LIBRARIES and all(map(_PLAIN, parts))
    own = (own or kind.module == "__main__") and loader not in _CALLING
    return ("custom-class" if own else "pickle-global"), str(kind)[:500]


@cache
def _trusted() -> frozenset[Global]:
    path = Path(__file__).parent / "skops_types.json"
    names: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    containers = {Global("collections", "defaultdict"), Global("collections", "OrderedDict")}
    return (
        frozenset(Global(module, name) for module in names for name in names[module]) | containers
    )


def _parts(name: str, value: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What a node holds. Only a dictionary's content has names; the rest is skops's own."""
    has_names = value.get("__loader__") == "DictNode"
    for key, each in value.items():
        if has_names and key == "content" and isinstance(each, dict):
            yield from ((_joined(name, part), inner) for part, inner in each.items())
        else:
            yield from _unwrapped(name, key, each)


def _unwrapped(name: str, key: str, value: object) -> Iterator[tuple[str, object]]:
    """A part of a node: its fields go by the node's own name, the items of a list by numbers."""
    if key == "key_types":
        yield "", value
    else:
        yield name, value


def _joined(name: str, key: str) -> str:
    whole = f"{name}.{key}" if name else key
    if len(whole) > NAME_CHARACTERS:
        raise FormatError("an object is nested too deep", got=whole[:80])
    return whole


def _generator(node: Node) -> str | None:
    """The name of the class that loading a generator would look up, as skops finds it."""
    try:
        found = json.loads(node["content"]["bit_generator"]["content"]["bit_generator"]["content"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None
