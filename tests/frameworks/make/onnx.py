"""Files of ONNX and what the onnx package says of them: `python -P onnx.py FOLDER`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

onnx, helper, numpy_helper = (
    cast("Any", import_module(name)) for name in ("onnx", "onnx.helper", "onnx.numpy_helper")
)
RECORD_WORDS = {"FLOAT": "float32", "DOUBLE": "float64"}


def main(folder: Path) -> None:
    """Write every case."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "linear.onnx", _model())
    _write(folder / "external.onnx", _model(), external=True)
    _write(folder / "nested.onnx", _nested())
    _write(folder / "custom.onnx", _custom())


def _tensor(name: str, shape: list[Any], kind: str = "FLOAT") -> Any:
    return helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)


def _model(nodes: list[Any] | None = None, **changes: Any) -> Any:
    """y = x · w + b, with a weight of each of several dtypes."""
    halves = onnx.helper.make_tensor("halves", onnx.TensorProto.BFLOAT16, [2], [1.0, 2.0])
    fours = onnx.helper.make_tensor("fours", onnx.TensorProto.INT4, [3], [1, -2, 3])
    words = onnx.helper.make_tensor("words", onnx.TensorProto.STRING, [2], [b"a", b"b"])
    initializers = [
        numpy_helper.from_array(np.ones((4, 2), np.float32), "w"),
        numpy_helper.from_array(np.ones(2, np.float32), "b"),
        numpy_helper.from_array(np.ones((2, 0), np.int64), "none"),
        halves,
        fours,
        words,
    ]
    nodes = nodes or [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Add", ["z", "b"], ["y"], doc_string='File "/home/ann/net.py", line 7'),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [_tensor("x", ["batch", 4]), _tensor("w", [4, 2])],
        [_tensor("y", ["batch", None])],
        initializers,
    )
    opsets = [helper.make_opsetid("", 21), *changes.pop("opsets", [])]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="tests", **changes)
    helper.set_model_props(model, {"author": "Ann"})
    return model


def _nested() -> Any:
    """A branch with a weight of its own, a constant, a function of the model."""
    out = _tensor("o", [2])
    weight = numpy_helper.from_array(np.ones(2, np.float32), "inner")
    then = helper.make_graph(
        [helper.make_node("Identity", ["inner"], ["o"])], "t", [], [out], [weight]
    )
    value = numpy_helper.from_array(np.ones(2, np.float32))
    other = helper.make_graph(
        [helper.make_node("Constant", [], ["o"], value=value)], "e", [], [out]
    )
    condition = numpy_helper.from_array(np.ones((), np.bool_))
    nodes = [
        helper.make_node("Constant", [], ["c"], value=condition),
        helper.make_node("If", ["c"], ["i"], then_branch=then, else_branch=other),
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Twice", ["m"], ["t"], domain="local"),
        helper.make_node("Add", ["t", "i"], ["y"]),
    ]
    opsets = [helper.make_opsetid("", 21)]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    twice = helper.make_function("local", "Twice", ["a"], ["b"], body, opsets)
    return _model(nodes, functions=[twice], opsets=[helper.make_opsetid("local", 1)])


def _custom() -> Any:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Warp", ["m"], ["y"], domain="acme.ops"),
    ]
    return _model(nodes, opsets=[helper.make_opsetid("acme.ops", 1)])


def _write(path: Path, model: Any, *, external: bool = False) -> None:
    onnx.checker.check_model(model)
    if external:
        onnx.save_model(
            model, path, save_as_external_data=True, location="external.data", size_threshold=0
        )
    else:
        onnx.save_model(model, path)
    text = json.dumps(_described(onnx.load(path)), indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


def _described(model: Any) -> dict[str, Any]:
    graphs = _graphs(model.graph)
    initializers = [each for graph in graphs for each in graph.initializer]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for function in model.functions for node in function.node]
    given = {each.name for each in model.graph.initializer}
    return {
        "tensors": {each.name: [_dtype(each.data_type), list(each.dims)] for each in initializers},
        "signatures": {
            "default": {
                "inputs": dict(_value(v) for v in model.graph.input if v.name not in given),
                "outputs": dict(map(_value, model.graph.output)),
            }
        },
        "ops": sorted({f"{n.domain}.{n.op_type}".lstrip(".") for n in nodes}),
        "parameters": sum(int(np.prod(each.dims)) for each in initializers),
    }


def _graphs(graph: Any) -> list[Any]:
    inner = [a.g for node in graph.node for a in node.attribute if a.type == a.GRAPH]
    return [graph, *(each for branch in inner for each in _graphs(branch))]


def _value(value: Any) -> tuple[str, list[Any]]:
    kind = value.type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
    return value.name, [_dtype(kind.elem_type), sizes]


def _dtype(number: int) -> str:
    name = str(onnx.TensorProto.DataType.Name(number))
    return RECORD_WORDS.get(name, name.lower())


main(Path(sys.argv[1]) / "onnx")
