"""Write the lists of classes that pickles may import: `python tests/frameworks/allowed.py`.

Run where torch and scikit-learn are; what it writes is checked in, so that a new release of either
changes nothing unseen. `test_allowed.py` tells why each class is harmless.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parents[2] / "src" / "modelshelf" / "formats" / "allowed"

# Estimators bring these along; none of them is an estimator itself.
PARTS = re.compile(
    r"sklearn\.(_loss\.\w+\.[A-Z]\w+|gaussian_process\.kernels\.[A-Z]\w+"
    r"|tree\._tree\.Tree|neighbors\._\w+\.(BallTree|KDTree|_QuadTree|BinaryTree)\w*"
    r"|linear_model\._sgd_fast\.\w+|metrics\._dist_metrics\.(?!PyFunc)\w+(32|64)"
    r"|model_selection\._split\.(?!_CV)\w+|calibration\._CalibratedClassifier"
    r"|cluster\._birch\._CF\w+|cluster\._bisect_k_means\._BisectingTree"
    r"|cluster\._feature_agglomeration\.\w+|impute\._iterative\._ImputerTriplet"
    r"|neural_network\._stochastic_optimizers\.\w+|ensemble\._hist_gradient_boosting\.predictor\.\w+"
    r"|compose\._column_transformer\.make_column_selector|utils\._bunch\.Bunch"
    r"|utils\._metadata_requests\.(MetadataRequest|MethodMetadataRequest)"
    r"|utils\._encode\.(MissingValues|_nandict))"
)
LEFT_OUT = re.compile(
    r"sklearn\.(utils\._testing|utils\._mocking|utils\.estimator_checks|callback|externals)"
    r"|sklearn\.(experimental|_build_utils)|torch\.optim\._multi_tensor"
    r"|.*\.tests\b|.*conftest|torch\.nn\.modules\.container\.Container"
    r"|sklearn\._loss\..*(ArrayAPI|Mixin).*"
)
REBUILDERS = re.compile(
    r"sklearn\.(_loss\._loss|linear_model\._sgd_fast|metrics\._dist_metrics)\.__pyx_unpickle_\w+"
    r"|sklearn\.(metrics\._dist_metrics|neighbors\._(ball|kd)_tree)\.newObj"
)


def modules(root: str) -> Iterator[ModuleType]:
    """The modules below `root` that can be imported, and itself."""
    top = importlib.import_module(root)
    yield top
    for info in pkgutil.walk_packages(top.__path__, f"{root}."):
        if not LEFT_OUT.match(info.name):
            try:
                yield importlib.import_module(info.name)
            except ImportError:
                continue


def listed(root: str, wanted: Callable[[str, Any], bool]) -> dict[str, list[str]]:
    """The names that `wanted` takes, by the module that defines them."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules(root):
        for name, value in vars(module).items():
            whole = f"{module.__name__}.{name}"
            own = getattr(value, "__module__", None) == module.__name__
            if own and not LEFT_OUT.match(whole) and wanted(whole, value):
                found[module.__name__].add(name)
    return {module: sorted(names) for module, names in sorted(found.items())}


def subclass_of(kind: type) -> Callable[[str, Any], bool]:
    return lambda _, value: inspect.isclass(value) and issubclass(value, kind)


def of_sklearn(whole: str, value: Any) -> bool:
    """An estimator, a part of one, or Cython's function that makes one without calling it."""
    from sklearn.base import BaseEstimator

    if inspect.isclass(value):
        return issubclass(value, BaseEstimator) or bool(PARTS.fullmatch(whole))
    return callable(value) and bool(REBUILDERS.fullmatch(whole))


def write(name: str, found: dict[str, list[str]]) -> None:
    text = json.dumps(found, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    import torch

    warnings.simplefilter("ignore")
    write(
        "torch",
        listed("torch.nn.modules", subclass_of(torch.nn.Module))
        | listed("torch.optim", subclass_of(torch.optim.Optimizer)),
    )
    write("sklearn", listed("sklearn", of_sklearn))


if __name__ == "__main__":
    main()
