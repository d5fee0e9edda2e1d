"""skops: what it says of itself, beside what scikit-learn says, and trees made to mislead."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.skops_nodes import LOADERS
from tests.formats.matrix import cases, expected, told

CASES = cases(Path(__file__).parent / "skops")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_reader_says_what_sklearn_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_what_must_be_installed() -> None:
    facts = read(Path(__file__).parent / "skops" / "sparse.skops")
    assert facts.python_packages == ("numpy", "scikit-learn", "scipy")
    assert "takes 4 features" in facts.notes
    assert "table_ is a sparse matrix" in facts.notes


def node(loader: str, module: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"__loader__": loader, "__module__": module, "__class__": name, **parts}


def saved(folder: Path, tree: object, **top: Any) -> Path:
    path = folder / "model.skops"
    schema = {**tree, "protocol": 2, **top} if isinstance(tree, dict) else tree
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    return path


GENERATOR = {"bit_generator": {"content": {"bit_generator": {"content": '"seed"'}}}}


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        (node("ObjectNode", "acme.net", "Net"), "custom-class"),
        (node("ObjectNode", "__main__", "Net"), "custom-class"),
        (node("TypeNode", "acme", "Net"), "custom-class"),
        (node("TypeNode", "os", "system"), "pickle-global"),
        (node("TypeNode", "builtins", "map"), "pickle-global"),
        (node("ObjectNode", "scipy.stats._continuous_distns", "norm_gen"), "pickle-global"),
        (node("ObjectNode", "acme net", "Net"), "pickle-global"),
        (node("ConstructorFromReduceNode", "acme", "run"), "pickle-global"),
        (node("FunctionNode", "__main__", "run"), "pickle-global"),
        (node("FunctionNode", "numpy", "exp", content={"module_path": "os"}), "pickle-global"),
        (node("OperatorFuncNode", "operator", "methodcaller"), "evaluated"),
        (node("MethodNode", "sklearn.svm._classes", "SVC"), "evaluated"),
        (node("PartialNode", "functools", "partial"), "evaluated"),
        (node("RandomGeneratorNode", "numpy.random._generator", "Generator"), "evaluated"),
        (node("RandomGeneratorNode", "numpy.random", "Generator", content=GENERATOR), "evaluated"),
        (node("EvalNode", "builtins", "dict"), "unknown"),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_types_that_nobody_vouches_for(
    tree: dict[str, Any], kind: str, deep: bool, tmp_path: Path
) -> None:
    if deep:
        inner = node("ListNode", "builtins", "list", content=[tree])
        tree = node("DictNode", "builtins", "dict", content={"content": {"x": inner}}, odd=[[]])
    assert [risk.kind for risk in read(saved(tmp_path, tree)).risks] == [kind]


@pytest.mark.parametrize(
    "tree",
    [
        {},
        [],
        {"__class__": "dict"},
        node("NdArrayNode", "numpy", "ndarray", type="numpy", file="gone.npy"),
        {"__loader__": 1, "__module__": "a", "__class__": "b"},
    ],
)
def test_trees_that_skops_does_not_write(tree: object, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read(saved(tmp_path, tree))


@pytest.mark.parametrize("protocol", [None, True, -1, 3, "2"])
def test_protocols_that_do_not_exist(protocol: object, tmp_path: Path) -> None:
    tree = node("DictNode", "builtins", "dict", content={})
    with pytest.raises(FormatError, match="unknown protocol"):
        read(saved(tmp_path, tree, protocol=protocol))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"a": ' + "9" * 5000 + "}", "\ud800"])
def test_schemas_that_are_no_json(text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FormatError, match="is not JSON"):
        read(path)


def test_every_loader_is_a_node() -> None:
    assert all(loader.endswith("Node") for loader in LOADERS)
