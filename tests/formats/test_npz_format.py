"""NumPy's archives and arrays, beside what NumPy says of them, and what nobody should believe."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.numpy_header import header_of
from tests.formats.matrix import cases, expected, told

CASES = cases(Path(__file__).parent / "npz")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_reader_says_what_numpy_says(case: Path) -> None:
    said = expected(case)
    form = detect(case)
    assert form is not None
    assert form.name == "npz"
    assert told(read(case), said) == said


@pytest.mark.parametrize("name", ["plain.npz", "single.npy"])
def test_spans_are_the_values_of_arrays(name: str) -> None:
    case = Path(__file__).parent / "npz" / name
    content, arrays = case.read_bytes(), np.load(case)
    for each in read(case).spans[name]:
        array = arrays if name.endswith(".npy") else arrays[each.name]
        values = array.tobytes("F" if array.flags.f_contiguous else "C")
        assert content[each.start : each.stop] == values
        assert each.dtype in {array.dtype.name, "string", "bytes", "record", "time"}


def test_packed_arrays_lie_nowhere() -> None:
    assert read(Path(__file__).parent / "npz" / "packed.npz").spans == {}


def array_of(header: str, content: bytes = b"", version: bytes = b"\1\0") -> bytes:
    raw = header.encode()
    return b"\x93NUMPY" + version + len(raw).to_bytes(2, "little") + raw + content


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }  \n",
        "{'descr':'<f4','fortran_order':False,'shape':(1L,)}",
        '{"descr": "<f4", "shape": (1,), "fortran_order": True}',
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', ('|u1', (2, 2)))], 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_headers_as_numpy_writes_them(header: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(array_of(header, bytes(4)))
    assert read(path).tensors[0].shape == (1,)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "{}",
        "[1]",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': 'q', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a',)], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} or 1",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "(" * 60_000,
        "[" * 21 + "]" * 21,
        "{'descr': " + "[('a', " * 30 + "'<f4'" + ")]" * 30 + "}",
    ],
)
def test_headers_that_numpy_does_not_write(header: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(array_of(header, bytes(4)))
    with pytest.raises(FormatError):
        read(path)


@pytest.mark.parametrize("version", [b"\0\0", b"\4\0", b"\xff\xff"])
def test_versions_that_do_not_exist(version: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(array_of("{}", version=version))
    with pytest.raises(FormatError, match="not an array"):
        read(path)


def test_what_is_no_array_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run.py", "print()")
    assert [risk.kind for risk in read(path).risks] == ["unknown"]


GOOD = array_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}", bytes(8))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(at: int, new: bytes, old: int) -> None:
    try:
        header = header_of(io.BytesIO(GOOD[:at] + new + GOOD[at + old :]))
    except (FormatError, UnicodeDecodeError):
        return
    assert header.start <= len(GOOD) + 4


def test_a_directory_that_lies_about_its_place(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"")
    content = bytearray(path.read_bytes())
    content[-6:-2] = (int.from_bytes(content[-6:-2], "little") + 10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(FormatError, match="does not lie where"):
        read(path)
