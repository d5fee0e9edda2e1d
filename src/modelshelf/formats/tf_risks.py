"""What running a TensorFlow graph would do beyond computing: one judgement for all its formats."""

from __future__ import annotations

import json
from collections.abc import Iterable

from modelshelf.formats.facts import Risk
from modelshelf.formats.protobuf import Wire
from modelshelf.formats.tf_graph import Graph, Use, attribute
from modelshelf.formats.tf_objects import Objects
from modelshelf.formats.tf_operators import (
    HARMLESS,
    SAVING,
    TABLES,
    is_foreign,
    package_of,
    risk_of,
)
from modelshelf.formats.tf_paths import Paths
from modelshelf.formats.tf_types import loose_text

RISK_COUNT = 200
"""How many risks of one graph are told; the first is enough to block it."""


def graph_risks(
    wire: Wire, graph: Graph, objects: Objects, saver: str | None, assets: list[str], file: str
) -> tuple[Risk, ...]:
    """Operators that reach beyond the graph, or that TensorFlow does not know.

    `saver` is the tensor that TensorFlow sets to the path of the model's variables, `assets` are
    the nodes that it sets to those of the model's assets.
    """
    found = [
        risk
        for operator in sorted(graph.ops)
        if not (operator in graph.functions and is_foreign(operator))
        and (risk := risk_of(operator, file))
    ]
    savers = frozenset({saver.partition(":")[0]} if saver else ())
    paths = Paths(wire, graph, objects, savers, frozenset(assets))
    for use in graph.judged:
        if len(found) >= RISK_COUNT:
            break
        if not _is_harmless(wire, use, paths):
            where = f" in {use.scope[:80]}" if use.scope else ""
            deed = _DEEDS.get(use.node.op, "opens a file by its attribute")
            found.append(Risk("file-op", f"{use.node.op}: {deed}{where}", file))
    return tuple(dict.fromkeys(found))[:RISK_COUNT]


_DEEDS = {
    **dict.fromkeys(SAVING, "a checkpoint that is not the model's own"),
    **dict.fromkeys(TABLES, "a file that is not of the model's assets"),
}


def _is_harmless(wire: Wire, use: Use, paths: Paths) -> bool:
    operator = use.node.op
    if operator in TABLES:
        return paths.from_assets(use, TABLES[operator])
    if operator == "MergeV2Checkpoints" and not paths.from_saver(use, 0):
        return False
    if operator in SAVING:
        return paths.from_saver(use, SAVING[operator])
    name, harmless = HARMLESS[operator]
    texts = [loose_text(wire, part) for part in attribute(wire, use.node, name) if part.number == 2]
    return not texts or harmless.fullmatch(texts[-1]) is not None


def packages(graph: Graph) -> set[str]:
    """Python packages that are known to bring the graph's foreign operators."""
    foreign = (each for each in graph.ops if is_foreign(each) and each not in graph.functions)
    return {name for each in foreign if (name := package_of(each))}


def lambda_risks(metadata: Iterable[str], file: str) -> tuple[Risk, ...]:
    """Python functions in what Keras wrote of a model's layers; text that is no JSON is blocked."""
    found: dict[Risk, None] = {}
    for text in metadata:
        if not text.strip():
            continue
        try:
            pending: list[object] = [json.loads(text)]
        except (ValueError, RecursionError):
            found.setdefault(Risk("unreadable", "the description of a layer is no JSON", file))
            continue
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                pending += value.values()
                if risk := _layer_risk(value, file):
                    found.setdefault(risk)
            elif isinstance(value, list):
                pending += value
    return tuple(found)


def _layer_risk(layer: dict[object, object], file: str) -> Risk | None:
    kind = layer.get("class_name")
    config = layer.get("config")
    name = str(config.get("name", "?"))[:80] if isinstance(config, dict) else "?"
    if kind == "__lambda__" or "lambda" in {
        layer.get(f"{part}function_type") for part in ("", "output_shape_", "mask_")
    }:
        return Risk("lambda", "a Python function stored as byte code", file)
    if kind == "Lambda":
        return Risk("lambda", f"Lambda layer {name}", file)
    return None
