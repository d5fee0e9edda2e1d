"""Packages whose weights are large enough to go by segments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tests.conftest import write_package

Values = NDArray[np.float32]
MIB = 1 << 18
"""So many values of four bytes."""
INCLUDED = 'task = "other"\ninclude = [{files}]'


def values(seed: int, count: int = 2 * MIB) -> Values:
    """Weights as training leaves them."""
    return (np.random.default_rng(seed).normal(size=count) * 0.02).astype("<f4")


def tuned(before: Values) -> Values:
    """The same weights after a little more training."""
    step = np.random.default_rng(before.size).normal(size=before.size) * 1e-6
    return (before + step).astype("<f4")


def write(
    folder: Path,
    name: str,
    tensors: Mapping[str, Values],
    *,
    version: str = "1.0.0",
    note: str = "",
    needs: str = "",
    file: str = "small.safetensors",
    beside: Mapping[str, bytes] | None = None,
    second: Mapping[str, Values] | None = None,
) -> Path:
    """A package with these tensors in `file`, and others in a second one.

    `needs` is a table of dependencies, `beside` are files that come with them.
    """
    write_package(folder, name=name, version=version)
    manifest = folder / "shelf.toml"
    text = manifest.read_text(encoding="utf-8").replace("small.safetensors", file)
    text = text.replace("[signatures.scale.inputs.x]", f"{needs}\n[signatures.scale.inputs.x]")
    if beside:
        text = text.replace(
            'task = "other"', INCLUDED.format(files=", ".join(f'"{path}"' for path in beside))
        )
    if second:
        text = text.replace(f'files = ["{file}"]', f'files = ["{file}", "second.safetensors"]')
        save_file(dict(second), folder / "second.safetensors")
    manifest.write_text(text, encoding="utf-8")
    (folder / "small.safetensors").unlink()
    save_file(
        {"factor": np.full((2,), 2.0, np.float32), **tensors},
        folder / file,
        metadata={"note": note},
    )
    for path, content in (beside or {}).items():
        (folder / path).write_bytes(content)
    return folder
