"""What the allow-list of pickles names does nothing of a publisher's choice when it is rebuilt."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelshelf.formats.placeholders import Global
from modelshelf.formats.pytorch_imports import ALLOWED, harmful, listed
from tests.frameworks import allowed

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

# What a pickle can make happen to an object: calling its class, filling it, adding to it.
REACHED = (
    "__new__", "__init__", "__setstate__", "__setattr__", "__setitem__", "__getattr__", "__del__",
    "__reduce__", "__hash__", "__eq__", "append", "extend", "add", "update",
)  # fmt: skip
RUNS = {
    "exec", "eval", "compile", "__import__", "import_module", "open", "load", "loads", "system",
    "Popen", "run", "run_path", "spawn", "urlopen", "fromfile", "memmap", "vectorize",
}  # fmt: skip


def read(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((allowed.FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def values(name: str) -> Iterator[tuple[Global, Any]]:
    for module, names in read(name).items():
        there = importlib.import_module(module)
        yield from ((Global(module, each), getattr(there, each)) for each in names)


def test_the_lists_are_what_the_libraries_have() -> None:
    assert read("torch") == allowed.listed(
        "torch.nn.modules", allowed.subclass_of(torch.nn.Module)
    ) | allowed.listed("torch.optim", allowed.subclass_of(torch.optim.Optimizer))
    assert read("sklearn") == allowed.listed("sklearn", allowed.of_sklearn)


@pytest.mark.parametrize("name", ["torch", "sklearn"])
def test_only_classes_are_listed(name: str) -> None:
    functions = {str(each) for each, value in values(name) if not inspect.isclass(value)}
    assert all(allowed.REBUILDERS.fullmatch(each) for each in functions)


@pytest.mark.parametrize("name", ["torch", "sklearn"])
def test_no_method_that_a_pickle_reaches_runs_anything(name: str) -> None:
    found = set()
    for _, value in values(name):
        for kind in getattr(value, "__mro__", ()):
            found |= {f"{kind.__qualname__}.{method}" for method in runs(kind)}
    assert found == set()


def runs(kind: type) -> Iterator[str]:
    """The methods of a class, of those that a pickle reaches, that call what runs something."""
    for method in REACHED:
        function = vars(kind).get(method)
        try:
            source = inspect.getsource(function) if inspect.isfunction(function) else ""
        except OSError:  # made by dataclass or namedtuple
            continue
        tree = ast.parse(textwrap.dedent(source))
        calls = [each.func for each in ast.walk(tree) if isinstance(each, ast.Call)]
        names = {getattr(each, "id", getattr(each, "attr", "")) for each in calls}
        if names & RUNS:
            yield method


@pytest.mark.parametrize(
    "name", ["torch", "sklearn", "torch_functions", "numpy", "scipy", "python"]
)
def test_rebuilding_runs_nothing(name: str) -> None:
    """Each is made by NEWOBJ, REDUCE and BUILD, as a hostile pickle would, while Python is watched."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).parent / "rebuild.py"), name],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(
    "name",
    ["builtins.getattr", "builtins.map", "functools.partial", "functools.reduce",
     "operator.attrgetter", "types.FunctionType", "torch.load", "torch.jit.load", "numpy.load",
     "numpy.memmap", "numpy.vectorize", "torch.storage._load_from_bytes"],
)  # fmt: skip
def test_what_calls_or_reaches_is_not_listed(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert harmful([Global(module, attribute)])


def test_python_2_has_no_other_names_for_what_is_listed() -> None:
    """Pickles of protocols 0 to 2 are read with names that Python 3 changed."""
    import _compat_pickle

    for each in ALLOWED | listed():
        module, name = _compat_pickle.NAME_MAPPING.get((each.module, each.name), (None, None))
        module = module or _compat_pickle.IMPORT_MAPPING.get(each.module, each.module)
        assert not harmful([Global(module, name or each.name)]), each
