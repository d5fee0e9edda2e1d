"""hubconf.py read by its syntax tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.pytorch_hub import read_entrypoints
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
    assert set(conf.entrypoints) == {
        "small", "Large", "tiny", "guarded", "cnn", "medium", "other"
    }  # fmt: skip
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


WEIGHTS = """
ROOT = "https://w.example/v1"
model_urls = {"a": "https://w.example/a.pth", "b": f"{ROOT}/b.pth.tar", "doc": "https://w.example/paper"}
def load(name):
    return model_urls[name]
"""


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        ("_load('a')", ["https://w.example/v1/b.pth.tar", "https://w.example/a.pth"]),
        ("torch.hub.load_state_dict_from_url(ROOT)", ["https://w.example/v1"]),
        ("model_zoo.load_url(url=ROOT + '/x')", ["https://w.example/v1/x"]),
        ("return f'{ROOT}/{size}.bin'", ["https://w.example/v1/{size}.bin"]),
        ("return 'https://w.example/paper', 'ftp://w.example/x.pth'", []),
        ("class A:\n        URL = 'http://w.example/c.ckpt?raw=1'", ["http://w.example/c.ckpt?raw=1"]),
        ("return helper()", ["https://w.example/helper.pt"]),
    ],
)  # fmt: skip
def test_addresses_of_weights(tmp_path: Path, body: str, urls: list[str]) -> None:
    (tmp_path / "zoo.py").write_text(WEIGHTS)
    (tmp_path / "hubconf.py").write_text(
        "import torch\nfrom torch.utils import model_zoo\nfrom zoo import load as _load, ROOT\n"
        "UNUSED = 'https://w.example/unused.pth'\n"
        "class _H:\n    def __init__(self): self.url = 'https://w.example/helper.pt'\n"
        f"def _make(): return _H()\nhelper = None\ndef f(size):\n    {body.replace('helper', '_make')}\n"
    )
    assert sorted(read(tmp_path / "hubconf.py").urls) == sorted(urls)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("import x\n@x.deco(1)\ndef f(): ...", "f has a decorator, x.deco(1), that may change"),
        ("import x\nclass f(x.Base): ...", "f is built as x.Base is, which is not in this folder."),
        ("import os\nif os.sep:\n    def f(): ...", "f is defined only under a condition."),
        ("import os\nif os:\n    def f(): ...\nelse:\n    def f(a): ...", "f a condition decides"),
        ("from .a import f", "hubconf.py: it is no part of a package, so its relative import fails"),
        ("class f(metaclass=type): ...", "f is built by a class of classes"),
    ],
)  # fmt: skip
def test_doubts_are_said(tmp_path: Path, text: str, doubt: str) -> None:
    (tmp_path / "a.py").write_text("def f(): ...")
    (tmp_path / "hubconf.py").write_text(text)
    facts = read(tmp_path / "hubconf.py")
    assert set(facts.entrypoints) == {"f"}
    assert [each for each in facts.unsaid if each.startswith(doubt)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("from far import *", "* (from far)"),
        ("from a import missing", "missing (from a, which does not define it)"),
        ("from a import *", "* (from far)"),
        ("from functools import partial\nf = partial(print, 1)", "f (functools.partial of something"),
        ("def g(a): ...\nfrom functools import partial\nf = partial(g, 1, 2)", "f (functools.partial w"),
        ("from functools import partial\nx = ()\nf = partial(*x)", "f (functools.partial)"),
        ("from json import f", "f (from json, a name of this folder and of another package)"),
        ("def make(): ...\nf = make()", "f (what make gives)"),
    ],
)  # fmt: skip
def test_reasons_for_what_is_unresolved(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "a.py").write_text("from far import *\n" if "*" in line else "def g(): ...")
    (tmp_path / "json.py").write_text("def f(): ...")
    (tmp_path / "hubconf.py").write_text(line)
    conf = read_entrypoints(tmp_path / "hubconf.py")
    assert [each for each in conf.unresolved if each.startswith(reason)], conf.unresolved


MANY_BASES = "".join(f"class C{i}(C{i + 1}, C{i + 1}, C{i + 1}): ...\n" for i in range(500))
MANY_ARGUMENTS = "def f(" + ",".join(f"a{i}=1" for i in range(5000)) + "): ...\n"


@pytest.mark.parametrize(
    "text",
    [
        MANY_BASES,
        "".join(f"x{i} = x{i + 1} or x{i + 1} or x{i + 1}\n" for i in range(2000)),
        "from hubconf import *\ndef f(): ...",
        f"from {'a' * 5000} import f",
        f"from . import {'a' * 5000}",
        f"from {'a.' * 3000}a import *",
        "x = " + "a.b" + ".c" * 500,
        "def f(): " + "'http://a'" * 900,
    ],
)
def test_what_multiplies_ends(tmp_path: Path, text: str) -> None:
    (tmp_path / "hubconf.py").write_text(text)
    read(tmp_path / "hubconf.py")


@pytest.mark.parametrize(
    "text", [MANY_ARGUMENTS + "".join(f"g{i} = f\n" for i in range(2000)), "a=1\n" * 70_000]
)
def test_more_than_any_real_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "hubconf.py").write_text(text)
    with pytest.raises(FormatError, match=r"more|longer"):
        read(tmp_path / "hubconf.py")
