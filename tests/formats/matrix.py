"""What a framework says of a file it wrote, beside what the reader says: one comparison for both suites.

Beside each file lies `<name>.json`, written by the framework's own script in
`tests/frameworks/make/`. It may hold any of these keys; those that are there must agree:
`tensors` (name → [dtype, shape]), `signatures` (name → inputs and outputs → name → [dtype, shape],
a shape null where the framework tells none, a size null where it is open), `bounds` (signature →
input or output → for each dimension [lowest, highest], null where it is fixed or not known),
`ops` (names), `spans` (file → [start, stop, dtype, name]), `parameters`, `framework_version`, `entrypoints` (names), `risks` (kinds).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelshelf.formats.facts import Facts
from modelshelf.package.signature import ANY_SIZE, Dimension, Signature, Tensor


def cases(folder: Path) -> list[Path]:
    """Every file or folder below `folder` that has an expectation beside it."""
    return sorted(path.with_suffix("") for path in folder.glob("*.*.json"))


def expected(case: Path) -> dict[str, Any]:
    """What the framework said of `case`: a path such as `small.tflite`, told in `small.tflite.json`."""
    told: dict[str, Any] = json.loads(case.with_name(f"{case.name}.json").read_text("utf-8"))
    return told


def told(facts: Facts, keys: Mapping[str, object]) -> dict[str, Any]:
    """The same keys from the reader's answer."""
    said: dict[str, Any] = {
        "tensors": {t.name: [t.dtype, list(t.shape)] for t in facts.tensors},
        "signatures": {
            name: {
                side: {each: _tensor(tensor) for each, tensor in getattr(signature, side).items()}
                for side in ("inputs", "outputs")
            }
            for name, signature in facts.signatures.items()
        },
        "bounds": {
            name: {
                each: [_bounds(signature, size) for size in tensor.shape or ()]
                for each, tensor in (*signature.inputs.items(), *signature.outputs.items())
            }
            for name, signature in facts.signatures.items()
        },
        "spans": {file: [list(span) for span in spans] for file, spans in facts.spans.items()},
        "ops": sorted(facts.ops),
        "parameters": facts.parameters,
        "framework_version": facts.framework_version,
        "entrypoints": sorted(facts.entrypoints),
        "risks": sorted({risk.kind for risk in facts.risks}),
    }
    return {key: said[key] for key in keys}


def _tensor(tensor: Tensor) -> list[Any]:
    if tensor.shape is None:
        return [tensor.dtype, None]
    return [tensor.dtype, [size if isinstance(size, int) else None for size in tensor.shape]]


def _bounds(signature: Signature, size: Dimension) -> list[int | None] | None:
    if not isinstance(size, str):
        return None
    bounds = signature.symbols.get(size, ANY_SIZE)
    return [bounds.min, bounds.max]
