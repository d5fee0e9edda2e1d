# mypy: ignore-errors
"""Write models with TensorFlow.js' converter: run by hand where it is, with a folder as argument.

`node tests/frameworks/make/tfjs.mjs FOLDER tell` then says beside each what TensorFlow.js makes of
it. Not part of `make/`: the converter asks for 3 GB of packages that fit together only by hand
(tensorflowjs 4.22.0, tensorflow 2.19.0, tensorflow_decision_forests 1.12.0, protobuf 6.33.5).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tensorflow as tf
import tf_keras
from tensorflowjs.converters import save_keras_model
from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model


class Words(tf.Module):
    """Looks words up in a table."""

    def __init__(self) -> None:
        super().__init__()
        filled = tf.lookup.KeyValueTensorInitializer(["one", "zwei", "trois"], [1, 2, 3])
        self.table = tf.lookup.StaticHashTable(filled, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def look(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        """Numbers of words."""
        return {"numbers": self.table.lookup(words)}


class Loop(tf.Module):
    """Loops as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(tf.reshape(tf.range(12.0), [3, 4]))

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x"),
                                  tf.TensorSpec([], tf.int32, name="count")])  # fmt: skip
    def loop(self, x: tf.Tensor, count: tf.Tensor) -> dict[str, tf.Tensor]:
        """A loop around a product."""
        product = tf.matmul(x, self.weight)
        while count > 0:
            product = tf.nn.relu(product) - 1.0
            count -= 1
        return {"sum": tf.reduce_sum(product, 1), "product": product}


def main() -> None:
    """Write every case below the folder."""
    target = Path(sys.argv[1]) / "tfjs"
    tf.random.set_seed(1)
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(words := Words(), saved, {"look": words.look})
        convert_tf_saved_model(saved, str(target / "table.tfjs"), signature_def="look")
    loop = Loop()
    for name, given in (
        ("loop", {"control_flow_v2": True, "quantization_dtype_map": {"uint8": "*"}}),
        ("structured", {"use_structured_outputs_names": True,
                        "quantization_dtype_map": {"float16": "*"}}),
    ):  # fmt: skip
        with tempfile.TemporaryDirectory() as saved:
            tf.saved_model.save(loop, saved, {"loop": loop.loop})
            convert_tf_saved_model(saved, str(target / f"{name}.tfjs"), "loop", **given)
    model = tf_keras.Sequential([
        tf_keras.layers.Input([8, 8, 1], name="image"),
        tf_keras.layers.Conv2D(2, 3, activation="relu", name="edges"),
        tf_keras.layers.GlobalAveragePooling2D(name="mean"),
        tf_keras.layers.Dense(3, name="scores"),
    ])  # fmt: skip
    folder = str(target / "converted.tfjs")
    save_keras_model(
        model, folder, quantization_dtype_map={"uint16": "*"}, weight_shard_size_bytes=40
    )


if __name__ == "__main__":
    main()
