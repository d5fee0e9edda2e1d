"""The reader of TorchScript, against files that PyTorch wrote, and against made-up code."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from modelshelf.errors import FormatError
from modelshelf.formats import read
from modelshelf.formats.torchscript_source import Argument, methods
from tests.formats.matrix import cases, expected, told

FILES = Path(__file__).parent / "torchscript"


@pytest.mark.parametrize("case", cases(FILES), ids=lambda case: case.name)
def test_the_reader_says_what_pytorch_says(case: Path) -> None:
    said = expected(case)
    assert told(read(case), said) == said


def test_methods_and_what_lies_beside_them() -> None:
    facts = read(FILES / "scripted.pt")
    assert (
        'method forward(x: Tensor, mask: Optional[Tensor]=None, count: int=2, mode: str="a, (b")'
        " -> Tuple[Tensor, int]"
    ) in facts.notes
    assert "method encode(words: Dict[str, List[Tensor]]) -> int" in facts.notes
    assert "extra file extra/labels.txt" in facts.notes
    assert not facts.signature_known
    assert not facts.signatures
    assert ("author-path", "/home/ann/train.py") in {(r.kind, r.detail) for r in facts.risks}


def test_byte_code_for_phones() -> None:
    assert any("bytecode.pkl" in note for note in read(FILES / "mobile.ptl").notes)


def test_spans_are_where_tensors_lie() -> None:
    path = FILES / "scripted.pt"
    with zipfile.ZipFile(path) as archive:
        weight = archive.read("scripted/data/0")
    facts = read(path)
    first = facts.spans["scripted.pt"][0]
    assert path.read_bytes()[first.start : first.stop] == weight
    assert (first.name, first.dtype) in {(each.name, each.dtype) for each in facts.tensors}


SOURCE = """class Other(Module):
  def forward(self: __torch__.Other,
    y: Tensor) -> Tensor:
    return y
class Net(Module):
  __parameters__ = []
  layer : Tensor
  def forward(self: __torch__.Net,
    x: Tensor,
    words: Dict[str, List[int]]={"a": [1, 2]},
    mode: str="), (\\"") -> Tuple[Tensor, int]:
    return x
  def alone(self: __torch__.Net) -> NoneType:
    return None
  def broken(self: __torch__.Net,
    x: Tensor
"""


def test_declarations() -> None:
    forward, alone = methods(SOURCE, "Net")
    assert forward.arguments == (
        Argument("x", "Tensor"),
        Argument("words", "Dict[str, List[int]]", '{"a": [1, 2]}'),
        Argument("mode", "str", '"), (\\""'),
    )
    assert forward.returns == "Tuple[Tensor, int]"
    assert str(alone) == "alone() -> NoneType"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "class Net(Module):\n",
        "class Net(Module):\n  def forward(" + "(" * 100_000,
        "class Net(Module):\n  def forward(self" + ",a" * 100_000 + ") -> Tensor:",
        "class Net(Module):\n" + "  def forward(\n" * 20_000,
        'class Net(Module):\n  def f(self: N, x: str="' + "\\" * 9999,
        "class Net(Module):\n  def f(self: N, x) -> Tensor:",
        "class Net(Module):\n  def f(self: N, 1x: Tensor) -> Tensor:",
        "class Net(Module):\n  def f(self: N))",
    ],
)
def test_declarations_that_are_none(source: str) -> None:
    assert methods(source, "Net") == []


def test_a_class_of_a_library(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02c__torch__.torch.classes.acme\nDecoder\n)\x81.")
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr(
            "m/code/__torch__.py.debug_pkl", b"\x80\x02X\x10\0\0\0/home/ann/net.pyq\x06X"
        )
    assert {(risk.kind, risk.detail) for risk in read(path).risks} == {
        ("torchscript-code", "0 source files"),
        ("custom-class", "__torch__.torch.classes.acme.Decoder"),
        ("author-path", "/home/ann/net.py"),
    }


def test_a_storage_that_does_not_lie_where_the_archive_says(tmp_path: Path) -> None:
    content = bytearray((FILES / "scripted.pt").read_bytes())
    first = content.index(b"PK\x03\x04", 1)
    content[first : first + 4] = b"XXXX"
    path = tmp_path / "m.pt"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        read(path, "torchscript")
