"""Keras' files, old and new, and what Keras and h5py say of them: `python -P keras.py FOLDER`."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any, cast

os.environ |= {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}

keras, h5py = (cast("Any", import_module(name)) for name in ("keras", "h5py"))
layers = keras.layers
TWICE = eval(compile("lambda x: x * 2", "train.py", "eval"))  # byte code names no folder
OPTIMIZER = {"optimizer", "optimizer_weights"}


@keras.saving.register_keras_serializable(package="acme")
class Warp(layers.Layer):  # type: ignore[misc,name-defined]
    """A layer that Keras does not know."""

    def call(self, x: Any) -> Any:
        """Give back what came."""
        return x


def models() -> dict[str, Any]:
    """Name of the file → model."""
    small = keras.Sequential([layers.Input((8,), name="features"), layers.Dense(4, "relu"),
                              layers.BatchNormalization()])  # fmt: skip
    small.compile("adam", "mse")
    deep = keras.Sequential([layers.Input((2,), name="x"), *(layers.Dense(2) for _ in range(60))])
    image, words = layers.Input((8, 8, 3), name="image"), layers.Input((None,), dtype="int32", name="words")  # fmt: skip
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, padding="same")(image))
    read = layers.GlobalAveragePooling1D()(layers.Embedding(10, 4)(words))
    joined = keras.ops.concatenate([seen, small(layers.Dense(8)(read))], axis=1)
    several = keras.Model([image, words], layers.Dense(2, "softmax", name="scores")(joined))
    harm = keras.Sequential([layers.Input((2,), name="x"), layers.Lambda(TWICE, name="twice")])
    own = keras.Sequential([layers.Input((2,), name="x"), Warp(name="warp")])
    return {"small.keras": small, "small.h5": small, "deep.keras": deep, "several.keras": several,
            "several.h5": several, "lambda.keras": harm, "own.keras": own}  # fmt: skip


RISKS = {"lambda.keras": ["lambda"], "own.keras": ["custom-class"]}


def told(path: Path, model: Any) -> dict[str, Any]:
    """What the framework's own interfaces say of a model and its file."""
    inputs = {each.name: [each.dtype, list(each.shape)] for each in model.inputs}
    return {
        "framework_version": keras.__version__,
        "parameters": model.count_params(),
        "tensors": tensors(path),
        "ops": sorted({type(each).__name__ for each in every(model)}),
        "signatures": {"default": {"inputs": inputs, "outputs": {}}},
        "risks": RISKS.get(path.name, []),
    }


def every(model: Any) -> list[Any]:
    """The model, its layers and operations, and those of the models in it."""
    inner = model.operations if hasattr(model, "operations") else model.layers
    inputs = [] if hasattr(model, "operations") else [layers.InputLayer]
    nested = [each for layer in inner if isinstance(layer, keras.Model) for each in every(layer)]
    return [model, *inner, *nested, *(each((1,)) for each in inputs)]


def tensors(path: Path) -> dict[str, list[Any]]:
    """The datasets by h5py, without the optimizer's."""
    content = (
        path.read_bytes()
        if path.suffix == ".h5"
        else zipfile.ZipFile(path).read("model.weights.h5")
    )
    found: dict[str, list[Any]] = {}

    def note(name: str, each: Any) -> None:
        if isinstance(each, h5py.Dataset) and not OPTIMIZER & set(name.split("/")):
            found[name] = [str(each.dtype), list(each.shape)]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    return found


def main(folder: Path) -> None:
    """Write every file with what is said of it beside it."""
    folder = folder / "keras"
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in models().items():
        model.save(folder / name)
        said = json.dumps(told(folder / name, model), indent=1)
        (folder / f"{name}.json").write_text(said + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
