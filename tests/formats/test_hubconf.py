"""hubconf.py read by its syntax tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.hubconf import read_entrypoints
from modelshelf.package.record import Parameter

HUBCONF = '''
"""Digits."""
dependencies = ["torch", "numpy"]
import torch
import torch.nn as nn
from functools import partial
from models.cnn import build_cnn as cnn, _hidden
from elsewhere import wide
from more import *

SIZES = {"small": 8}

def small(pretrained: bool = True, *, width: int = 2 * 4, **options) -> nn.Module:
    """A small classifier.

    Args:
        pretrained (bool): load the weights
        width: channels of the first layer
    """

def _private(): ...

class Large(nn.Module):
    """A large one."""
    def __init__(self, depth, rate=0.1): ...

tiny = small
medium = partial(small, width=16)
other = lambda: None
gone = small
del gone

try:
    def guarded(x, /, *rest): ...
except ImportError:
    pass
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("")
    (tmp_path / "models" / "cnn.py").write_text("from .deep import build_cnn\n")
    (tmp_path / "models" / "deep.py").write_text("def build_cnn(classes=10):\n    'A CNN.'\n")
    return tmp_path


def test_public_callables(folder: Path) -> None:
    conf = read_entrypoints(folder / "hubconf.py")
    assert set(conf.entrypoints) == {"small", "Large", "tiny", "guarded", "cnn"}
    assert conf.dependencies == ("torch", "numpy")


def test_parameters(folder: Path) -> None:
    small = read_entrypoints(folder / "hubconf.py").entrypoints["small"]
    assert small.description == "A small classifier."
    assert small.parameters == (
        Parameter("pretrained", "bool", "True", "load the weights"),
        Parameter("width", "int", "2 * 4", "channels of the first layer"),
        Parameter("**options", None, "{}", None),
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Large", [("depth", None), ("rate", "0.1")]),
        ("guarded", [("x", None), ("*rest", "()")]),
        ("cnn", [("classes", "10")]),
    ],
)
def test_where_parameters_come_from(
    folder: Path, name: str, parameters: list[tuple[str, str | None]]
) -> None:
    found = read_entrypoints(folder / "hubconf.py").entrypoints[name].parameters
    assert [(each.name, each.default) for each in found] == parameters


def test_what_cannot_be_told(folder: Path) -> None:
    assert set(read_entrypoints(folder / "hubconf.py").unresolved) == {
        "* (from more)",
        "wide (from elsewhere)",
        "medium (functools.partial)",
        "other (a lambda)",
    }


def test_as_a_format(folder: Path) -> None:
    facts = read(folder / "hubconf.py")
    assert facts.format == "pytorch-hub"
    assert facts.unsafe
    assert facts.python_packages == ("torch", "numpy")
    assert "small" in facts.entrypoints


def test_nothing_is_run(tmp_path: Path) -> None:
    sentinel = tmp_path / "ran"
    path = tmp_path / "hubconf.py"
    path.write_text(f"open({str(sentinel)!r}, 'w')\ndef f(x=open({str(sentinel)!r}, 'w')): ...\n")
    assert set(read_entrypoints(path).entrypoints) == {"f"}
    assert not sentinel.exists()


@pytest.mark.parametrize(
    "line", ["from ..outside import f", "from linked import f", "import os; f = os.system"]
)
def test_files_outside_are_not_opened(tmp_path: Path, line: str) -> None:
    (tmp_path / "outside.py").write_text("def f(secret): ...")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "linked.py").symlink_to(tmp_path / "outside.py")
    (inside / "hubconf.py").write_text(line)
    conf = read_entrypoints(inside / "hubconf.py")
    assert conf.entrypoints == {}
    assert len(conf.unresolved) == 1


def test_a_circle_of_imports_ends(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("from a import f\ng = h\nh = g\n")
    (tmp_path / "a.py").write_text("from b import f")
    (tmp_path / "b.py").write_text("from a import f")
    conf = read_entrypoints(tmp_path / "hubconf.py")
    assert conf.unresolved[0] == "f (followed too far)"


def test_a_broken_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("from a import f")
    (tmp_path / "a.py").write_text("def f(:")
    assert "not Python" in read_entrypoints(tmp_path / "hubconf.py").unresolved[0]


@pytest.mark.parametrize(
    "content",
    [
        b"def f(:",
        b"\0",
        b"x = 1\0",
        b"\xff\xfe",
        b"# coding: utf-7\n",
        b"# coding: no-such\n",
        b"(" * 100_000,
        b"x = " + b"-" * 500_000 + b"1",
        b"x = " + b"[" * 90 + b"]" * 90 + b"(" * 5000,
        b"x" + b".x" * 200_000 + b"\n" * 700_000,
    ],
)
def test_what_is_no_python(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hubconf.py"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read(path)
    assert caught.value.where


@pytest.mark.parametrize(
    "content",
    [
        "def f(): 'é'".encode("latin-1").join([b"# coding: latin-1\n", b"\n"]),
        b"\xef\xbb\xbfdef f(): ...\r\n",
        b"def f(): '\\d'\n",
    ],
)
def test_encodings_and_line_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hubconf.py"
    path.write_bytes(content)
    assert set(read_entrypoints(path).entrypoints) == {"f"}
