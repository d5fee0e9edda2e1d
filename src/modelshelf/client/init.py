"""A first `shelf.toml` for a folder of model files: what can be read from them is filled in."""

from __future__ import annotations

import re
from pathlib import Path

from modelshelf import formats
from modelshelf.errors import Conflict, FormatError
from modelshelf.formats import Facts
from modelshelf.package import manifest
from modelshelf.package.signature import Signature, Tensor
from modelshelf.package.vocabularies import vocabulary

_HEAD = """\
# What this package is. Check it with: shelf check
[package]
name = "{name}"
version = "0.1.0"
summary = "Models from {folder}"
# license = "Apache-2.0"            # SPDX: https://spdx.org/licenses
# task = "image-classification"     # or text-embedding, audio-classification, other, ...
"""

_VARIANT_TO_FILL = """
# No model was found in this folder. One looks like this:
# [[variants]]
# name = "small"
# [[variants.artifacts]]
# format = "onnx"
# files = ["small.onnx"]
"""

_SIGNATURE_TO_FILL = """
# These files cannot carry a signature: tell how the model is called.
[signatures.default.inputs.input]
dtype = "float32"
shape = ["batch", 1]

[signatures.default.outputs.output]
dtype = "float32"
shape = ["batch", 1]
"""


def drafted(folder: Path, name: str) -> str:
    """The text of a `shelf.toml` for `folder`: variants and signatures from the files in it.

    License and task are left to the publisher: nothing in the files tells them.
    """
    found = _models(folder)
    text = _HEAD.format(name=name, folder=folder.resolve().name.replace('"', "'"))
    if (folder / "README.md").is_file():
        text += 'readme = "README.md"\n'
    signatures = [s for _, facts in found for s in facts.signatures.values()]
    entrypoints = [name for _, facts in found for name in facts.entrypoints]
    if signatures:
        text += _signature(signatures[0])
    elif found and not entrypoints:
        text += _SIGNATURE_TO_FILL
    text += "".join(f"\n[entrypoints.{name}]\n" for name in entrypoints)
    by_variant: dict[str, list[tuple[str, Facts]]] = {}
    for path, facts in found:
        by_variant.setdefault(_variant_name(path), []).append((path, facts))
    text += "".join(_variant(name, models) for name, models in by_variant.items())
    return text if found else text + _VARIANT_TO_FILL


def write(folder: Path, text: str) -> Path:
    """Write the draft. Raises Conflict where a `shelf.toml` is there already."""
    path = folder / manifest.FILE
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Conflict(f"there is a {manifest.FILE} already", where=str(path)) from None
    return path


def _models(folder: Path) -> list[tuple[str, Facts]]:
    found = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            if formats.detect(path):
                found.append((path.name, formats.read(path)))
        except FormatError:
            continue  # not a model after all, or a broken one: `shelf check` will tell
    return found


def _variant_name(path: str) -> str:
    """Files of one stem are one variant in several formats."""
    return re.sub(r"[^a-z0-9]+", "-", Path(path).stem.lower()).strip("-") or "model"


def _variant(name: str, models: list[tuple[str, Facts]]) -> str:
    text = f'\n[[variants]]\nname = "{name}"\n'
    entrypoints = [entrypoint for _, facts in models for entrypoint in facts.entrypoints]
    if entrypoints:
        text += f'entrypoint = "{entrypoints[0]}"\n'
    return text + "".join(_artifact(path, facts) for path, facts in models)


def _artifact(path: str, facts: Facts) -> str:
    files = ", ".join(f'"{each}"' for each in (path, *facts.companions))
    contexts = ", ".join(f'"{each}"' for each in formats.formats()[facts.format].contexts)
    known = facts.precision in vocabulary("precisions")
    return (
        f'[[variants.artifacts]]\nformat = "{facts.format}"\nfiles = [{files}]\n'
        f"contexts = [{contexts}]\n" + (f'precision = "{facts.precision}"\n' if known else "")
    )


def _signature(signature: Signature) -> str:
    sides = [("inputs", signature.inputs), ("outputs", signature.outputs)]
    return "".join(_tensor(side, name, each) for side, all_ in sides for name, each in all_.items())


def _tensor(side: str, name: str, tensor: Tensor) -> str:
    shape = ", ".join(
        str(s) if isinstance(s, int) else f'"{s or "any"}"' for s in tensor.shape or ()
    )
    key = name if re.fullmatch(r"[\w-]+", name) else f'"{name}"'
    return f'\n[signatures.default.{side}.{key}]\ndtype = "{tensor.dtype}"\nshape = [{shape}]\n'
