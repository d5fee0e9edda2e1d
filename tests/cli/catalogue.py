"""A small market of models: several packages for one task that nobody else's tests use."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.conftest import write_onnx

TASK = "image-denoising"
_HEAD = """\
[package]
name = "{name}"
version = "{version}"
summary = "{algorithm} against noise"
license = "{license}"
task = "{task}"
algorithm = "{algorithm}"
datasets = ["grain"]
{more}
[signatures.clean.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.clean.outputs.y]
dtype = "float32"
shape = ["batch", 2]
"""
_VARIANT = """
[[variants]]
name = "{name}"
features = {{ width = {width} }}
{metrics}
[[variants.artifacts]]
format = "onnx"
files = ["{name}.onnx", "{name}.txt"]
contexts = ["python", "edge"]
"""


class Model(NamedTuple):
    """A variant: how good (None: not said), how large its companion is."""

    name: str
    width: float
    accuracy: float | None
    kilobytes: int


class Product(NamedTuple):
    """A package of the market."""

    name: str
    algorithm: str
    license: str
    models: tuple[Model, ...]
    more: str = ""
    task: str = TASK


MARKET = (
    Product("net", "CNN", "Apache-2.0", (Model("small", 0.5, 0.70, 10), Model("large", 1, 0.80, 40))),
    Product("wide", "WideNet", "AGPL-3.0-only", (Model("one", 2, 0.90, 90),)),
    Product("old", "CNN", "MIT", (Model("one", 1, 0.65, 30),)),
    Product("quiet", "Filter", "MIT", (Model("one", 1, None, 5),)),
)  # fmt: skip


def write_product(folder: Path, publisher: str, product: Product, version: str = "1.0.0") -> Path:
    """The package as a folder that can be published."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{publisher}/{product.name}"
    values = {**product._asdict(), "name": name, "version": version}
    text = _HEAD.format(**values)
    for model in product.models:
        metrics = (
            "" if model.accuracy is None
            else f'metrics = [{{ name = "accuracy", dataset = "grain", value = {model.accuracy} }}]'
        )  # fmt: skip
        text += _VARIANT.format(name=model.name, width=model.width, metrics=metrics)
        write_onnx(folder / f"{model.name}.onnx", model.width)
        (folder / f"{model.name}.txt").write_text("x" * model.kilobytes * 1000, encoding="utf-8")
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    return folder
