"""Write small skops files, and beside each what scikit-learn and skops themselves say of it."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import skops.io
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree


class Custom(StandardScaler):  # type: ignore[misc]
    """A class that only the publisher's code defines."""


def main(folder: Path) -> None:
    """Write all cases below `folder`."""
    target = folder / "skops"
    target.mkdir(parents=True, exist_ok=True)
    rows, labels = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression(max_iter=500)
    )
    scaler = StandardScaler().fit(rows)
    scaler.table_ = sparse.csr_matrix(np.eye(3))
    models = {
        "linear": LogisticRegression(max_iter=500).fit(rows, labels),
        "words": LogisticRegression(max_iter=500).fit(rows, np.array(list("abc"))[labels]),
        "pipeline": pipeline.fit(rows, labels),
        "tree": DecisionTreeClassifier(max_depth=2).fit(rows, labels),
        "custom": Custom().fit(rows),
        "function": FunctionTransformer(np.linalg.norm),
        "sparse": scaler,
    }
    for name, model in models.items():
        path = target / f"{name}.skops"
        packing = zipfile.ZIP_DEFLATED if name in {"tree", "words"} else zipfile.ZIP_STORED
        skops.io.dump(model, path, compression=packing)
        said = _said(model, name)
        text = json.dumps(said, indent=1, sort_keys=True)
        path.with_name(f"{path.name}.json").write_text(text + "\n", encoding="utf-8")


def _said(model: Any, name: str) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    _gather(model, "", arrays, set())
    risks = {"custom": ["custom-class"], "function": ["pickle-global"]}.get(name, [])
    return {
        "tensors": {key: [_dtype(each), list(each.shape)] for key, each in arrays.items()},
        "parameters": sum(int(each.size) for each in arrays.values()),
        "framework_version": model.__getstate__().get("_sklearn_version"),
        "risks": risks,
    }


def _gather(value: Any, name: str, arrays: dict[str, Any], seen: set[int]) -> None:
    """Every array below an object, once, named by the way to it."""
    if id(value) in seen:
        return
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype != object:
            seen.add(id(value))
            arrays[name] = value
        return
    if isinstance(value, Tree):
        _, arguments, state = value.__reduce__()
        parts = {**{str(at): each for at, each in enumerate(arguments)}, **state}
    elif isinstance(value, dict):
        parts = value
    elif isinstance(value, list | tuple):
        parts = {str(at): each for at, each in enumerate(value)}
    elif isinstance(value, sklearn.base.BaseEstimator):
        seen.add(id(value))
        parts = value.__getstate__()
    else:
        return
    for key, each in parts.items():
        _gather(each, f"{name}.{key}" if name else str(key), arrays, seen)


def _dtype(value: Any) -> str:
    return (
        "record" if value.dtype.names else "string" if value.dtype.kind == "U" else str(value.dtype)
    )


main(Path(sys.argv[1]))
