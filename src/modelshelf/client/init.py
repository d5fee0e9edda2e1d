"""A first `shelf.toml` for a folder of model files: what can be read from them is filled in."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec

from modelshelf import formats
from modelshelf.errors import Conflict, FormatError
from modelshelf.formats import Facts
from modelshelf.package import manifest
from modelshelf.package.signature import Interval, Signature, Tensor
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
    signatures = next((facts.signatures for _, facts in found if facts.signatures), {})
    entrypoints = [name for _, facts in found for name in facts.entrypoints]
    if signatures:
        text += "".join(_signature(name, each) for name, each in signatures.items())
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
    """Every model below `folder`: a file, or a folder in the name of the file that carries it."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            carrier = formats.carrier(path)
            if formats.detect(carrier):
                found.append((carrier.relative_to(folder).as_posix(), formats.read(carrier)))
        except FormatError:
            continue  # not a model after all, or a broken one: `shelf check` will tell
    companions = {
        posixpath.join(posixpath.dirname(path), companion)
        for path, facts in found
        for companion in facts.companions
    }
    return [(path, facts) for path, facts in found if path not in companions]


def _variant_name(path: str) -> str:
    """Files of one stem are one variant in several formats; a folder counts by its own name."""
    stem = Path(path).parts[0] if "/" in path else Path(path).stem
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "model"


def _variant(name: str, models: list[tuple[str, Facts]]) -> str:
    text = f'\n[[variants]]\nname = "{name}"\n'
    entrypoints = [entrypoint for _, facts in models for entrypoint in facts.entrypoints]
    if entrypoints:
        text += f'entrypoint = "{entrypoints[0]}"\n'
    return text + "".join(_artifact(path, facts) for path, facts in models)


def _artifact(path: str, facts: Facts) -> str:
    beside = [posixpath.join(posixpath.dirname(path), each) for each in facts.companions]
    files = ", ".join(json.dumps(each, ensure_ascii=False) for each in (path, *beside))
    contexts = ", ".join(f'"{each}"' for each in formats.formats()[facts.format].contexts)
    known = facts.precision in vocabulary("precisions")
    return (
        f'[[variants.artifacts]]\nformat = "{facts.format}"\nfiles = [{files}]\n'
        f"contexts = [{contexts}]\n" + (f'precision = "{facts.precision}"\n' if known else "")
    )


def _signature(name: str, signature: Signature) -> str:
    table = f"signatures.{_key(name)}"
    sides = (("inputs", signature.inputs), ("outputs", signature.outputs))
    unknown = count(1)
    text = "".join(
        f"\n[{table}.{side}.{_key(each)}]\n{_tensor(tensor, unknown)}"
        for side, tensors in sides
        for each, tensor in tensors.items()
    )
    for side, tensors in sides:
        if not tensors:
            text += f"\n# The file does not tell the {side}: add [{table}.{side}.NAME]\n"
    return text + "".join(
        f"\n[{table}.symbols.{_key(symbol)}]\n{_interval(interval)}"
        for symbol, interval in signature.symbols.items()
    )


def _key(name: str) -> str:
    """A TOML key: bare where it can be, else a basic string (JSON's escapes are TOML's)."""
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)


def _tensor(tensor: Tensor, unknown: Iterator[int]) -> str:
    """An unknown rank is left out; an unknown size gets a name that no other size has."""
    lines = f'dtype = "{tensor.dtype}"\n'
    if tensor.shape is None:
        return lines
    sizes = (
        str(size) if isinstance(size, int) else json.dumps(size or f"any{next(unknown)}")
        for size in tensor.shape
    )
    return f"{lines}shape = [{', '.join(sizes)}]\n"


def _interval(interval: Interval) -> str:
    bounds = msgspec.to_builtins(interval)
    return "".join(f"{key} = {value}\n" for key, value in bounds.items() if value is not None)
