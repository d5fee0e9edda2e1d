"""Write NumPy's own files, and beside each what NumPy says of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

WORDS = {"U": "string", "S": "bytes", "V": "record", "O": "object", "M": "time", "m": "time"}


def main(folder: Path) -> None:
    """Write all cases below `folder`."""
    target = folder / "npz"
    target.mkdir(parents=True, exist_ok=True)
    record = np.zeros(3, [("a", "f4"), ("b", "S3", (2,)), ("c", [("d", ">i2")])])
    arrays: dict[str, Any] = {
        "weight": np.arange(12, dtype=np.float32).reshape(3, 4),
        "layer/bias": np.asfortranarray(np.ones((2, 3), dtype=">f8")),
        "scalar": np.array(7, dtype=np.int8),
        "words": np.array(["a", "bcd"]),
        "record": record,
        "when": np.zeros(2, "M8[ms]"),
        "half": np.zeros((0, 5), np.float16),
    }
    np.savez(target / "plain.npz", **arrays)
    np.savez_compressed(target / "packed.npz", **arrays)
    for name in ("plain.npz", "packed.npz"):
        _write(target / name, arrays, [])
    np.save(target / "single.npy", arrays["weight"])
    _write(target / "single.npy", {"array": arrays["weight"]}, [])
    objects: dict[str, Any] = {
        "names": np.array(["zero", None, 2], dtype=object),
        "w": np.ones(2, bool),
    }
    np.savez(target / "objects.npz", **objects)
    _write(target / "objects.npz", objects, [])
    paths: dict[str, Any] = {
        "paths": np.array([np.sqrt, np.frompyfunc(len, 1, 1).__class__], dtype=object)
    }
    np.savez(target / "functions.npz", **paths)
    _write(target / "functions.npz", paths, ["pickle-global"])


def _write(path: Path, arrays: dict[str, Any], risks: list[str]) -> None:
    said = {
        "tensors": {
            name: [WORDS.get(each.dtype.kind, each.dtype.name), list(each.shape)]
            for name, each in arrays.items()
        },
        "parameters": sum(each.size for each in arrays.values()),
        "risks": risks,
    }
    text = json.dumps(said, indent=1, sort_keys=True)
    path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


main(Path(sys.argv[1]))
