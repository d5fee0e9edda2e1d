"""TensorFlow Lite models and what its interpreter says of them: `python -P tflite.py FOLDER`.

What the interpreter does not tell (which tensors have stored values, where those lie) is told by
the schema's own code, which comes with TensorFlow.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

os.environ |= {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}

MODULES = ("tensorflow", "keras", "numpy", "tensorflow.lite.python.schema_py_generated")
tf, keras, np, schema = (cast("Any", import_module(name)) for name in MODULES)

BUILTINS, TENSORFLOW, INT8 = (
    getattr(tf.lite.OpsSet, name) for name in ("TFLITE_BUILTINS", "SELECT_TF_OPS", "TFLITE_BUILTINS_INT8")
)  # fmt: skip
DELEGATED = "DELEGATE"


def main(folder: Path) -> None:
    """Write every case."""
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)
    _quantized(folder)
    _several(folder)
    _reaching(folder)


def _quantized(folder: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1), name="image"),
            layers.Conv2D(4, 3, name="convolution"),
            layers.ReLU(name="positive"),
            layers.Flatten(name="flat"),
            layers.Dense(8, name="scores"),
        ]
    )
    examples = [[np.full((1, 12, 12, 1), step / 8, np.float32)] for step in range(8)]
    _write(folder / "float.tflite", _keras(model), risks=[])
    _write(folder / "dynamic.tflite", _keras(model, optimizations=[tf.lite.Optimize.DEFAULT]))
    whole = _keras(model, optimizations=[tf.lite.Optimize.DEFAULT])
    whole.representative_dataset = lambda: iter(examples)
    whole.target_spec.supported_ops = [INT8]
    whole.inference_input_type = whole.inference_output_type = tf.int8
    _write(folder / "int8.tflite", whole)
    half = _keras(model, optimizations=[tf.lite.Optimize.DEFAULT])
    half.target_spec.supported_types = [tf.float16]
    _write(folder / "float16.tflite", half)


def _keras(model: Any, **options: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    for name, value in options.items():
        setattr(converter, name, value)
    return converter


def _several(folder: Path) -> None:
    """Four signatures: open sizes, a branch and other dtypes, a loop, a variable that changes."""
    model = tf.Module()
    model.weight = tf.Variable(tf.reshape(tf.range(6.0), [3, 2]), name="weight")
    model.steps = tf.Variable(0, dtype=tf.int32, name="steps")
    image, flag = tf.TensorSpec([1, None, 4], tf.uint8, "image"), tf.TensorSpec([], tf.bool, "flag")
    model.score = _function(_score(model), tf.TensorSpec([None, 3], name="x"))
    model.mixed = _function(_mixed, image, flag)
    model.repeat = _function(_repeat(model), tf.TensorSpec([4, 3], name="rows"))
    model.count = _function(lambda: {"steps": model.steps.assign_add(1)})
    names = ("score", "mixed", "repeat", "count")
    # in the folder that it runs in: a path may be written into the model
    tf.saved_model.save(model, "several", signatures={name: getattr(model, name) for name in names})
    converter = tf.lite.TFLiteConverter.from_saved_model("several")
    converter.experimental_enable_resource_variables = True
    _write(folder / "several.tflite", converter, risks=[])
    shutil.rmtree("several")


def _function(act: Callable[..., dict[str, Any]], *signature: Any) -> Any:
    return tf.function(act, input_signature=signature)


def _score(model: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda x: {"scores": x @ model.weight, "sum": tf.reduce_sum(x)}


def _mixed(image: Any, flag: Any) -> dict[str, Any]:
    def converted() -> Any:
        return tf.cast(image, tf.int64)

    return {"chosen": tf.cond(flag, converted, lambda: tf.zeros_like(image, tf.int64))}


def _repeat(model: Any) -> Callable[[Any], dict[str, Any]]:
    def again(step: Any, rows: Any) -> tuple[Any, Any]:
        return step + 1, tf.matmul(rows @ model.weight, model.weight, transpose_b=True)

    return lambda rows: {"rows": tf.while_loop(lambda step, _: step < 3, again, [0, rows])[1]}


def _reaching(folder: Path) -> None:
    """Operators that TensorFlow Lite lacks: two of TensorFlow's, one that nobody has."""
    cases: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
        "flex": (lambda x: tf.roll(x, [1], [1]), []),
        "file": (lambda x: tf.io.read_file(tf.strings.as_string(tf.reduce_sum(x))), ["file-op"]),
        "custom": (lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x), ["custom-op"]),
    }
    for name, (act, risks) in cases.items():
        function = _function(_named(act), tf.TensorSpec([None, 3], name="x"))
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()], tf.Module()
        )
        converter.target_spec.supported_ops = [BUILTINS, TENSORFLOW]
        converter.allow_custom_ops = name == "custom"
        _write(folder / f"{name}.tflite", converter, risks=risks)


def _named(act: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    return lambda x: {"y": act(x)}


def _write(path: Path, converter: Any, *, risks: list[str] | None = None) -> None:
    path.write_bytes(converter.convert())
    said = _described(path)
    if risks is not None:
        said["risks"] = risks
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


def _described(path: Path) -> dict[str, Any]:
    """Without delegates, which put operators of their own in the place of others."""
    interpreter = tf.lite.Interpreter(
        str(path),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    runtime = _runtime(model)
    stored = _stored(interpreter, model)
    return {
        "signatures": {
            key: _signature(interpreter, key) for key in interpreter.get_signature_list()
        },
        "ops": _operators(interpreter, model),
        "tensors": {name: told for name, (told, _) in stored.items()},
        "parameters": sum(
            {place: math.prod(told[1]) for told, place in reversed(stored.values())}.values()
        ),
        "framework_version": runtime or None,
    }


def _signature(interpreter: Any, key: str) -> dict[str, Any]:
    runner = interpreter.get_signature_runner(key)
    return {
        "inputs": {name: _tensor(each) for name, each in runner.get_input_details().items()},
        "outputs": {name: _tensor(each) for name, each in runner.get_output_details().items()},
    }


def _tensor(details: Any) -> list[Any]:
    sizes = [None if size == -1 else int(size) for size in details["shape_signature"]]
    return [_dtype(details), sizes]


def _dtype(details: Any) -> str:
    name = str(np.dtype(details["dtype"]).name)
    return "string" if name.startswith(("bytes", "object")) else name


def _operators(interpreter: Any, model: Any) -> list[str]:
    """Those of the first graph from the interpreter, which lists no others."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    found = {each["op_name"] for each in interpreter._get_ops_details()} - {DELEGATED}
    for graph in model.subgraphs[1:]:
        for each in graph.operators:
            code = model.operatorCodes[each.opcodeIndex]
            custom = code.builtinCode == schema.BuiltinOperator.CUSTOM
            found.add(code.customCode.decode() if custom else names[code.builtinCode])
    return sorted(found)


def _stored(interpreter: Any, model: Any) -> dict[str, tuple[list[Any], int]]:
    """Tensors with values: what the interpreter says of each, and the number of its buffer.

    A name that another tensor has got is told with the numbers of its graph and tensor.
    """
    found: dict[str, tuple[list[Any], int]] = {}
    seen = set()
    for number, graph in enumerate(model.subgraphs):
        details = {each["index"]: each for each in interpreter.get_tensor_details(number)}
        for index, tensor in enumerate(graph.tensors):
            data = model.buffers[tensor.buffer].data
            same = (tensor.name, tensor.buffer)
            if data is None or len(data) == 0 or same in seen:
                continue
            seen.add(same)
            name = details[index]["name"]
            name = name if name and name not in found else f"{name}#{number}.{index}"
            told = [_dtype(details[index]), [int(size) for size in details[index]["shape"]]]
            found[name] = (told, tensor.buffer)
    return found


def _runtime(model: Any) -> str:
    raw = [
        model.buffers[each.buffer].data
        for each in model.metadata
        if each.name == b"min_runtime_version"
    ]
    return bytes(raw[0]).rstrip(b"\0").decode() if raw else ""


main(Path(sys.argv[1]) / "tflite")
