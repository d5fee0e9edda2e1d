"""A program that loads an installed package and calls it once, made from its signature."""

from __future__ import annotations

import json
import keyword

from modelshelf.client.released import release_of
from modelshelf.client.shelf import Shelf
from modelshelf.package.composition import pipeline
from modelshelf.package.signature import Signature, Tensor


def example(name: str, variant: str | None = None) -> str:
    """Python text that runs as it stands, in the shelf's folder.

    Raises NotFound where the package is not on this shelf.
    """
    shelf = Shelf.find()
    package = shelf.locked(name)
    entry = release_of(shelf, package)
    whole = pipeline(entry, lambda each, _wanted: release_of(shelf, shelf.locked(each)))
    signatures = [node.signature for node in whole.nodes.values()] or [*entry.signatures.values()]
    signature = next(iter(signatures), None)
    callable_formats = {a.format for a in package.artifacts if a.installed} - {"safetensors"}
    return program(name, variant, signature if callable_formats else None)


def program(name: str, variant: str | None, signature: Signature | None) -> str:
    """The text; what a publisher wrote stands in it as literals only, never as code."""
    chosen = f", variant={_literal(variant)}" if variant else ""
    lines = [
        "import modelshelf", f"model = modelshelf.load({_literal(name)}{chosen})", "print(model)",
    ]  # fmt: skip
    if signature:
        lines = ["import numpy as np", *lines, *_call(signature)]
    return "\n".join(lines) + "\n"


def _call(signature: Signature) -> list[str]:
    lines = [f"{_variable(name)} = {_array(each)}" for name, each in signature.inputs.items()]
    given = ", ".join(f"{_literal(name)}: {_variable(name)}" for name in signature.inputs)
    lines.append(f"outputs = model(**{{{given}}})")
    return [*lines, "for name, array in outputs.items():", "    print(name, array.dtype, array)"]


def _array(tensor: Tensor) -> str:
    """Zeros of the right dtype and shape; every open size is 1."""
    sizes = [size if isinstance(size, int) else 1 for size in tensor.shape or ()]
    if tensor.dtype == "string":
        return f'np.full({tuple(sizes)}, "text", dtype=object)'
    comment = "".join(c if c.isprintable() else "?" for c in str(tensor))
    return f"np.zeros({tuple(sizes)}, dtype={_literal(tensor.dtype)})  # {comment}"


def _literal(text: str) -> str:
    """A string as Python reads it, whatever it holds."""
    return json.dumps(text)


def _variable(name: str) -> str:
    return (
        name
        if name.isidentifier() and not keyword.iskeyword(name)
        else "value_" + "".join(c if c.isalnum() else "_" for c in name)
    )
