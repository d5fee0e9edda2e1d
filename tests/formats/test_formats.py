"""The front door of the room of formats."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.errors import FormatError, NotFound
from modelshelf.formats import Format, detect, formats, read
from modelshelf.formats.facts import TensorInfo, author_paths, parameter_count, precision_of

NAMES = ["onnx", "pytorch", "pytorch-hub", "safetensors", "torchscript"]


def test_every_module_with_a_format_is_found() -> None:
    assert [name for name in formats() if name in NAMES] == NAMES


@pytest.mark.parametrize("form", formats().values(), ids=lambda form: form.name)
def test_a_format_says_what_it_is_good_for(form: Format) -> None:
    assert form.contexts
    assert form.advantages.endswith(".")
    assert form.disadvantages.endswith(".")
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in form.suffixes)


@pytest.mark.parametrize("form", formats().values(), ids=lambda form: form.name)
@pytest.mark.parametrize(
    "content", [b"", b"\0", b"{" * 99, b"PK\x03\x04", b"\x80\x02", b"\xff" * 999, b"\x3a\x05abc"]
)
def test_nonsense_is_refused(form: Format, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"nonsense{form.suffixes[0]}"
    path.write_bytes(content)
    if form.name == "pytorch-hub" and not content:
        assert read(path, form.name).entrypoints == {}
        return
    with pytest.raises(FormatError) as caught:
        read(path, form.name)
    assert caught.value.where
    assert caught.value.hint


def test_a_file_of_no_format(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("zero\none\n")
    assert detect(path) is None
    with pytest.raises(FormatError, match="no format that is known"):
        read(path)


def test_a_misspelt_format(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "x", "safetensor")
    assert caught.value.hint == "did you mean 'safetensors'?"


@pytest.mark.parametrize("format_name", [None, "onnx"])
def test_a_file_that_is_not_there(tmp_path: Path, format_name: str | None) -> None:
    with pytest.raises(NotFound):
        read(tmp_path / "none.onnx", format_name)


def test_precision_and_parameters() -> None:
    tensors = [TensorInfo("w", "bfloat16", (4, 5)), TensorInfo("steps", "int64", ())]
    assert precision_of(tensors) == "bfloat16"
    assert parameter_count(tensors) == 21
    assert precision_of([]) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("File /home/ann/train.py, line 3", "/home/ann/train.py"),
        (r"C:\Users\ann\net.py", r"C:\Users\ann\net.py"),
        ("a/home/of words", None),
    ],
)
def test_author_paths(text: str, found: str | None) -> None:
    assert [risk.detail for risk in author_paths([text], "x")] == ([found] if found else [])


def test_no_framework_is_imported() -> None:
    code = (
        "import sys; from modelshelf.formats import formats; formats();"
        "print(sorted({'torch', 'onnx', 'safetensors', 'numpy', 'tensorflow'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
