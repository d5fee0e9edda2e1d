"""A program that loads an installed package and calls it once, made from its signature."""

from __future__ import annotations

import msgspec

from modelshelf.client.shelf import ENTRY, Shelf
from modelshelf.errors import LockStale
from modelshelf.package.entry import Entry
from modelshelf.package.signature import Signature, Tensor


def example(name: str, variant: str | None = None) -> str:
    """Python text that runs as it stands, in the shelf's folder.

    Raises NotFound where the package is not on this shelf.
    """
    shelf = Shelf.find()
    package = shelf.locked(name)
    try:
        path = shelf.release(package) / ENTRY
        entry = msgspec.json.decode(path.read_bytes(), type=Entry)
    except (OSError, msgspec.MsgspecError):
        raise LockStale(
            f"the files of {name} are not all there", hint="run: shelf install"
        ) from None
    chosen = f', variant="{variant}"' if variant else ""
    lines = ["import modelshelf", f'model = modelshelf.load("{name}"{chosen})', "print(model)"]
    signature = next(iter(entry.signatures.values()), None)
    callable_formats = {a.format for a in package.artifacts if a.installed} - {"safetensors"}
    if signature and callable_formats:
        lines = ["import numpy as np", *lines, *_call(signature)]
    return "\n".join(lines) + "\n"


def _call(signature: Signature) -> list[str]:
    lines = [f"{_variable(name)} = {_array(each)}" for name, each in signature.inputs.items()]
    given = ", ".join(f'"{name}": {_variable(name)}' for name in signature.inputs)
    lines.append(f"outputs = model(**{{{given}}})")
    return [*lines, "for name, array in outputs.items():", "    print(name, array.dtype, array)"]


def _array(tensor: Tensor) -> str:
    """Zeros of the right dtype and shape; every open size is 1."""
    sizes = [size if isinstance(size, int) else 1 for size in tensor.shape or ()]
    if tensor.dtype == "string":
        return f'np.full({tuple(sizes)}, "text", dtype=object)'
    return f'np.zeros({tuple(sizes)}, dtype="{tensor.dtype}")  # {tensor}'


def _variable(name: str) -> str:
    return (
        name if name.isidentifier() else "value_" + "".join(c if c.isalnum() else "_" for c in name)
    )
