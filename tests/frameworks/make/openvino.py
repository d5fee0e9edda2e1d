"""Files of OpenVINO and what OpenVINO says of them: `python -P openvino.py FOLDER`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

openvino, op = (cast("Any", import_module(name)) for name in ("openvino", "openvino.opset13"))
RECORD_WORDS = {"f32": "float32", "f16": "float16", "i64": "int64", "i32": "int32", "u8": "uint8",
                "i8": "int8", "u4": "uint4", "i4": "int4", "boolean": "bool", "bf16": "bfloat16",
                "string": "string", "f64": "float64"}  # fmt: skip
# As the writer of the XML calls them (`translate_type_name`).
XML_WORDS = {"Relu": "ReLU", "Softmax": "SoftMax", "PRelu": "PReLU"}


def main(folder: Path) -> None:
    """Write every case."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "linear.xml", _linear())
    _write(folder / "branch.xml", _branch())
    _write(folder / "types.xml", _types())


def _linear() -> Any:
    image = op.parameter([openvino.Dimension(1, 8), 4], np.float32, name="image_layer")
    image.output(0).set_names({"image", "picture"})
    many = op.parameter(
        openvino.PartialShape([-1, openvino.Dimension(2, -1)]), np.int64, name="many"
    )
    weights = op.constant(np.ones((4, 3), np.float32), name="weights")
    scores = op.relu(op.add(op.matmul(image, weights, False, False), _half()))
    scores.output(0).set_names({"scores"})
    total = op.reduce_sum(many, op.constant(np.array([0], np.int64)), False)
    model = openvino.Model([scores.output(0), total.output(0)], [image, many], "linear")
    model.set_rt_info("/home/ann/model.onnx", ["conversion_parameters", "input_model"])
    return model


def _half() -> Any:
    return op.convert(op.constant(np.ones(3, np.float16), name="bias"), "f32")


def _branch() -> Any:
    """Constants within the branches of an If."""
    choose, x = op.parameter([], np.bool_, name="choose"), op.parameter([2], np.float32, name="x")
    inner = [op.parameter([2], np.float32) for _ in range(2)]
    steps = [op.constant(np.array([n, n], np.float32)) for n in (5, 7)]
    bodies = [
        openvino.Model([op.add(each, step)], [each], "body")
        for each, step in zip(inner, steps, strict=True)
    ]
    node = op.if_op(choose)
    node.set_then_body(bodies[0])
    node.set_else_body(bodies[1])
    node.set_input(x.output(0), *inner)
    result = node.set_output(bodies[0].results[0], bodies[1].results[0])
    return openvino.Model([op.softmax(result, 0)], [choose, x], "branch")


def _types() -> Any:
    """Constants of several types, one rank that is not known."""
    free = op.parameter(openvino.PartialShape.dynamic(), np.uint8, name="free")
    constants = [
        op.constant(openvino.Tensor(np.zeros(3, np.uint8), [5], openvino.Type.u4)),
        op.constant(np.zeros((2, 2), np.int8)),
        op.constant(np.zeros((), np.float64)),
        op.constant(
            openvino.Tensor(np.zeros(4, np.uint8).view(np.float16), [2], openvino.Type.bf16)
        ),
    ]
    results = [op.shape_of(free), *(op.convert(each, "i32") for each in constants)]
    for place, each in enumerate(results):
        each.output(0).set_names({f"out{place}"})
    return openvino.Model([each.output(0) for each in results], [free], "types")


def _write(path: Path, model: Any) -> None:
    openvino.save_model(model, path, compress_to_fp16=False)
    said = _described(openvino.Core().read_model(path))
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


def _described(model: Any) -> dict[str, Any]:
    operations = _operations(model)
    constants = [each for each in operations if each.get_type_name() == "Constant"]
    apart = {"Constant", "Parameter", "Result"}
    names = {each.get_type_name() for each in operations} - apart
    return {
        "tensors": {each.get_friendly_name(): _tensor(each.output(0)) for each in constants},
        "signatures": {
            "default": {
                "inputs": {each.get_any_name(): _tensor(each) for each in model.inputs},
                "outputs": {each.get_any_name(): _tensor(each) for each in model.outputs},
            }
        },
        "ops": sorted(XML_WORDS.get(name, name) for name in names),
        "framework_version": openvino.get_version(),
    }


def _operations(model: Any) -> list[Any]:
    found = list(model.get_ops())
    for each in model.get_ops():
        if each.get_type_name() == "If":
            found += [inner for place in (0, 1) for inner in each.get_function(place).get_ops()]
    return found


def _tensor(port: Any) -> list[Any]:
    word = RECORD_WORDS[port.get_element_type().get_type_name()]
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return [word, None]
    return [word, [size.get_length() if size.is_static else None for size in shape]]


main(Path(sys.argv[1]) / "openvino")
