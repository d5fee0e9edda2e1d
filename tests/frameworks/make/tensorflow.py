"""TensorFlow's four own formats and what TensorFlow says of them: `python -P tensorflow.py FOLDER`.

TensorFlow Hub can no longer write a hub.Module of TensorFlow 1: the one here is what its last
writer did, a SavedModel of TensorFlow 1 with two sets of tags, and the four bytes of its mark.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

os.environ |= {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}

MODULES = (
    "tensorflow",
    "keras",
    "tf_keras",
    "tensorflow_hub",
    "tensorflow.core.protobuf.trackable_object_graph_pb2",
    "tensorflow.python.framework.convert_to_constants",
    "tensorflow.python.saved_model.loader_impl",
    "tensorflow.python.framework.tensor_util",
)
tf, keras, tf_keras, hub, objects, constants, loader, tensor_util = (
    cast("Any", import_module(name)) for name in MODULES
)
v1 = tf.compat.v1

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
MARK = b"\x08\x03"
"""A ModuleDef of format 3, as `native_module.py` of TensorFlow Hub 0.12 wrote it."""


AUTHOR = "/home/ann/train.py"
"""Where the author's source pretends to lie: byte code holds that path."""
SOURCE = '''
import tensorflow as tf


class Words(tf.Module):
    """Texts of any number, looked up in a file of its own, then embedded."""

    def __init__(self, vocabulary):
        super().__init__()
        rows = tf.lookup.TextFileInitializer(
            str(vocabulary), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self.table = tf.lookup.StaticVocabularyTable(rows, 1)
        self.vectors = tf.Variable(tf.ones([4, 2]), name="vectors")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def __call__(self, words):
        ids = self.table.lookup(words)
        return {"ids": ids, "vectors": tf.gather(self.vectors, ids)}


class Several(tf.Module):
    """Three signatures: fixed, open and unknown shapes, several inputs and outputs, other dtypes."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.ones([3, 2]), name="weight")
        self.steps = tf.Variable(0, dtype=tf.int64, name="steps", trainable=False)
        self.half = tf.Variable(tf.ones([2], tf.bfloat16), name="half")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name="x")])
    def score(self, x):
        return {"scores": x @ self.weight, "half": self.half}

    @tf.function(
        input_signature=[
            tf.TensorSpec(None, tf.float32, name="anything"),
            tf.TensorSpec([], tf.bool, name="flag"),
            tf.TensorSpec([1, None, 4], tf.uint8, name="image"),
        ]
    )
    def mixed(self, anything, flag, image):
        chosen = tf.cond(flag, lambda: anything * 2.0, lambda: anything)
        return {"chosen": chosen, "image": tf.cast(image, tf.float16)}

    @tf.function(input_signature=[])
    def count(self):
        return {"steps": self.steps + 1}


class Reaching(tf.Module):
    """Does what no model should: `act` says what."""

    def __init__(self, act):
        super().__init__()
        self.act = act
        self.weight = tf.Variable(1.0, name="weight")

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="x")])
    def __call__(self, x):
        return {"y": self.act(x), "w": self.weight * 2.0}


def python(x):
    return tf.py_function(lambda text: text, [x], tf.string)


def printing(x):
    with tf.control_dependencies([tf.print(x, output_stream="file://printed.txt")]):
        return tf.identity(x)


def twice(layers):
    return layers.Lambda(lambda x: x * 2.0, name="twice")
'''


def main(folder: Path) -> None:
    """Write every case."""
    keras.utils.set_random_seed(0)
    linecache.cache[AUTHOR] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), AUTHOR)
    model: dict[str, Any] = {}
    exec(compile(SOURCE, AUTHOR, "exec"), model)
    _saved_models(folder / "tf_savedmodel", model)
    _hub_module(folder / "tf_hub_module")
    _checkpoints(folder / "tf_checkpoint", model["Several"]())
    _frozen_graphs(folder / "tf_frozen_graph", model)


def _saved_models(folder: Path, model: dict[str, Any]) -> None:
    # its path is written into the model as it is given here
    vocabulary = Path("vocabulary.txt")
    vocabulary.write_text("one\ntwo\nthree\n", encoding="utf-8")
    _save(folder / "words.tf", model["Words"](vocabulary), risks=[])
    vocabulary.unlink()
    several = model["Several"]()
    names = {"serving_default": several.score, "mixed": several.mixed, "count": several.count}
    _save(folder / "several.tf", several, signatures=names)
    _save(folder / "python.tf", model["Reaching"](model["python"]), risks=["file-op"])
    _save(folder / "file.tf", model["Reaching"](tf.io.read_file), risks=["file-op"])
    _save(folder / "print.tf", model["Reaching"](model["printing"]), risks=["file-op"])
    _keras(folder, model["twice"])


def _keras(folder: Path, twice: Any) -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,), name="features"), layers.Dense(3, name="first"),
                              layers.Dense(2, name="second")])  # fmt: skip
    model.export(folder / "keras.tf", verbose=False)
    # Keras stores every variable of an exported model twice, and counts it once
    own = {
        "tensors": {each.path: [each.dtype, list(each.shape)] for each in model.variables},
        "parameters": model.count_params(),
    }
    _tell(folder / "keras.tf", risks=[], own=own)
    inputs = tf_keras.Input((4,), name="features")
    outputs = twice(tf_keras.layers)(inputs)
    tf_keras.Model(inputs, outputs).save(folder / "lambda.tf", save_format="tf")
    _tell(folder / "lambda.tf", risks=["lambda"])


def _save(
    path: Path, module: Any, *, risks: list[str] | None = None, signatures: Any = None
) -> None:
    tf.saved_model.save(module, str(path), signatures=signatures)
    _tell(path, risks=risks)


def _tell(path: Path, *, risks: list[str] | None, own: dict[str, Any] | None = None) -> None:
    """What TensorFlow says of a SavedModel, once it has loaded it."""
    loaded = tf.saved_model.load(str(path))
    said = {
        "signatures": {name: _signature(each) for name, each in loaded.signatures.items()},
        "framework_version": tf.__version__,
        "ops": _operators(path),
    }
    if (path / "variables" / "variables.index").exists():
        said |= _values(path / "variables" / "variables", objects_known=True)
    if risks is not None:
        said["risks"] = risks
    _write(path, said | (own or {}))


def _signature(function: Any) -> dict[str, Any]:
    inputs = function.structured_input_signature[1]
    return {
        "inputs": {name: _spec(each) for name, each in inputs.items()},
        "outputs": {name: _spec(each) for name, each in function.structured_outputs.items()},
    }


def _spec(value: Any) -> list[Any]:
    rank = value.shape.rank
    return [value.dtype.name, None if rank is None else value.shape.as_list()]


def _operators(path: Path) -> list[str]:
    found: set[str] = set()
    for meta in loader.parse_saved_model(str(path)).meta_graphs:
        found |= _graph_operators(meta.graph_def)
    return sorted(found)


def _graph_operators(graph: Any) -> set[str]:
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    return {node.op for body in bodies for node in body}


def _values(prefix: Path, *, objects_known: bool) -> dict[str, Any]:
    """Names, dtypes and shapes by `tf.train.load_checkpoint`; names of variables by the objects."""
    reader = tf.train.load_checkpoint(str(prefix))
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    shapes.pop(OBJECT_GRAPH, None)
    names = _names(reader) if objects_known else {}
    tensors = {
        names.get(key, key): [dtypes[key].name, list(shape)] for key, shape in shapes.items()
    }
    sizes = [tf.TensorShape(shape).num_elements() for key, shape in shapes.items()
             if dtypes[key] != tf.string]  # fmt: skip
    return {"tensors": tensors, "parameters": sum(sizes)}


def _names(reader: Any) -> dict[str, str]:
    graph = objects.TrackableObjectGraph.FromString(reader.get_tensor(OBJECT_GRAPH))
    named = {
        each.checkpoint_key: each.full_name for node in graph.nodes for each in node.attributes
    }
    full = list(named.values())
    return {
        key: name if name and full.count(name) == 1 else key.removesuffix(SUFFIX)
        for key, name in named.items()
    }


def _hub_module(folder: Path) -> None:
    """Two sets of tags; in training, `default` has an output more, so its signature differs."""
    path = folder / "module.tf"
    builder = v1.saved_model.Builder(str(path))
    for tags in (["train"], []):
        with tf.Graph().as_default(), v1.Session() as session:
            signatures = _hub_graph(training=bool(tags))
            session.run(v1.global_variables_initializer())
            if tags:
                builder.add_meta_graph_and_variables(
                    session, tags, signatures, strip_default_attrs=True
                )
            else:
                builder.add_meta_graph(tags, signatures, strip_default_attrs=True)
    builder.save()
    (path / "tfhub_module.pb").write_bytes(MARK)
    said = {
        "signatures": _tagged(path, []) | _training(path),
        "framework_version": tf.__version__,
        "ops": _operators(path),
        "risks": [],
    }
    _write(path, said | _values(path / "variables" / "variables", objects_known=False))


def _hub_graph(*, training: bool) -> dict[str, Any]:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    weight = v1.get_variable("weight", [4, 3])
    y = v1.matmul(x, weight)
    outputs = {"default": y} | ({"loss": tf.reduce_sum(y)} if training else {})
    make = v1.saved_model.signature_def_utils.predict_signature_def
    return {
        "default": make({"x": x}, outputs),
        "relu": make({"x": x}, {"default": tf.nn.relu(y)}),
    }


def _tagged(path: Path, tags: list[str]) -> dict[str, Any]:
    """The signatures as TensorFlow Hub loads them, for one set of tags."""
    loaded = hub.load(str(path), tags=tags)
    return {name: _signature(each) for name, each in loaded.signatures.items()}


def _training(path: Path) -> dict[str, Any]:
    plain = _tagged(path, [])
    return {
        f"{name}:train": each
        for name, each in _tagged(path, ["train"]).items()
        if each != plain[name]
    }


def _checkpoints(folder: Path, model: Any) -> None:
    folder.mkdir(parents=True)
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    tf.train.Checkpoint(model=model, layer=layer).write(str(folder / "objects"))
    _write(
        folder / "objects.index", _values(folder / "objects", objects_known=True) | {"risks": []}
    )
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("layer/weight", [3, 2])
        v1.get_variable("layer/bias", [2], tf.float64)
        v1.get_variable("words", initializer=tf.constant(["one", "two"]))
        v1.get_variable("parts", [6, 2], partitioner=v1.fixed_size_partitioner(3))
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(
            session, str(folder / "names"), write_meta_graph=False, write_state=False
        )
    _write(folder / "names.index", _values(folder / "names", objects_known=False) | {"risks": []})


def _frozen_graphs(folder: Path, model: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    several, reaching = model["Several"](), model["Reaching"](tf.io.read_file)
    _freeze(folder / "score.pb", several.score, [])
    _freeze(folder / "file.pb", reaching.__call__, ["file-op"])


def _freeze(path: Path, function: Any, risks: list[str]) -> None:
    frozen = constants.convert_variables_to_constants_v2(function.get_concrete_function())
    definition = frozen.graph.as_graph_def()
    path.write_bytes(definition.SerializeToString())
    values = {
        node.name: tensor_util.MakeNdarray(node.attr["value"].tensor)
        for node in definition.node
        if node.op == "Const"
    }
    placeholders = [each for each in frozen.graph.get_operations() if each.type == "Placeholder"]
    said = {
        "tensors": {name: [_dtype(each), list(each.shape)] for name, each in values.items()},
        "signatures": {
            "default": {
                "inputs": {each.name: _spec(each.outputs[0]) for each in placeholders},
                "outputs": {},
            }
        },
        "ops": sorted(_graph_operators(definition)),
        "risks": risks,
    }
    _write(path, said)


def _dtype(value: Any) -> str:
    return str(tf.as_dtype(value.dtype).name)


def _write(path: Path, said: dict[str, Any]) -> None:
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


main(Path(sys.argv[1]))
