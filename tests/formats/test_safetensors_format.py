"""The reader of safetensors."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from modelshelf.errors import FormatError
from modelshelf.formats import detect, read
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.safetensors import DTYPES, facts_of, tensor_offsets
from modelshelf.formats.window import opened

GOOD = save({"w": np.ones((2, 3), np.float32), "b": np.zeros(3, np.int8)}, {"format": "pt"})


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def packed(header: str | bytes, data: bytes = b"") -> bytes:
    raw = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(raw)) + raw + data


def entry(dtype: str = "U8", shape: object = (4,), place: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": place}


def test_a_real_file(tmp_path: Path) -> None:
    facts = read(written(tmp_path / "m.safetensors", GOOD))
    assert set(facts.tensors) == {
        TensorInfo("w", "float32", (2, 3)),
        TensorInfo("b", "int8", (3,)),
    }
    assert (facts.framework, facts.precision, facts.parameters) == ("pytorch", "float32", 9)
    assert not facts.unsafe
    assert not facts.signature_known


def test_offsets_point_to_the_values(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors", GOOD)
    content = {tensor.name: GOOD[begin:end] for tensor, begin, end in tensor_offsets(path)}
    assert content == {"w": np.ones((2, 3), "<f4").tobytes(), "b": bytes(3)}
    assert read(path).spans == {
        "m.safetensors": tuple(
            (begin, end, tensor.dtype, tensor.name) for tensor, begin, end in tensor_offsets(path)
        )
    }


def test_paths_in_the_metadata(tmp_path: Path) -> None:
    content = save({"w": np.ones(1, np.int8)}, {"trained_on": "/home/ann/images"})
    facts = read(written(tmp_path / "m.safetensors", content))
    assert [(r.kind, r.detail) for r in facts.risks] == [("author-path", "/home/ann/images")]
    assert facts.unsaid


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    found = detect(written(tmp_path / "blob", GOOD))
    assert found is not None
    assert found.name == "safetensors"


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(tmp_path: Path, dtype: str) -> None:
    word, bits = DTYPES[dtype]
    header = json.dumps({"x": entry(dtype, [8], [0, bits])})
    facts = read(written(tmp_path / "m.safetensors", packed(header, bytes(bits))))
    assert facts.tensors == (TensorInfo("x", word, (8,)),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x08\0\0", "ends before"),
        (struct.pack("<Q", 1 << 60) + b"{}", "length is not possible"),
        (struct.pack("<Q", 100_000_001) + b"{}", "length is not possible"),
        (GOOD[:-1], "do not fill"),
        (GOOD + b"\0", "do not fill"),
        (GOOD[:40], "length is not possible"),
        (packed(b"{\xff}"), "not UTF-8"),
        (packed("[]"), "brace"),
        (packed("{} x"), "goes on"),
        (packed('{"a" 1}'), "not the JSON"),
        (packed('{"a\n": {}}'), "not the JSON"),
        (packed('{"a": {"dtype"}}'), "not the JSON"),
        (packed('{"a": {"shape": ' + "[" * 3000 + "}}"), "not the JSON"),
        (packed('{"a": {"shape": [' + "9" * 4000 + "x]}}"), "not the JSON"),
        (packed('{"a":[[[[]]]]}'), "not described"),
        (packed('{"a":{}}'), "other fields"),
        (packed(json.dumps({"a": entry() | {"x": 1}}), bytes(4)), "other fields"),
        (packed(json.dumps({"a": entry("U9")}), bytes(4)), "unknown dtype"),
        (packed(json.dumps({"a": entry(shape=[5])}), bytes(4)), "another size"),
        (packed(json.dumps({"a": entry(shape=[-4])}), bytes(4)), "wrong type"),
        (packed(json.dumps({"a": entry(shape=[True, 4])}), bytes(4)), "wrong type"),
        (packed(json.dumps({"a": entry(place=[0, 4, 8])}), bytes(4)), "wrong type"),
        (packed(json.dumps({"a": entry(place=[4, 0])}), bytes(4)), "hole or overlaps"),
        (packed(json.dumps({"a": entry(place=[1, 5])}), bytes(5)), "hole or overlaps"),
        (packed(json.dumps({"a": entry(), "b": entry(place=[2, 6])}), bytes(6)), "overlaps"),
        (packed(json.dumps({"a": entry(place=[0, 1 << 62])}), bytes(4)), "another size"),
        (packed('{"__metadata__":{"a":1}}'), "not the JSON"),
        (packed('{"__metadata__":{"a":"\\ud800"}}'), "cannot be read"),
        (packed('{"__metadata__":{"a":"","a":""}}'), "twice"),
        (packed('{"__metadata__":{},"__metadata__":{}}'), "twice"),
        (packed(json.dumps({"a": entry()})[:-1] + "," + json.dumps({"a": entry()})[1:]), "twice"),
    ],
)
def test_what_breaks_the_format(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(written(tmp_path / "m.safetensors", content))


def test_a_deep_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read(written(tmp_path / "m.safetensors", packed('{"a":' * 200_000)))


def test_only_the_header_of_a_gigabyte_is_read(tmp_path: Path) -> None:
    size = 1 << 30
    header = json.dumps({"w": entry("F32", [size // 4], [0, size])}).encode()
    path = written(tmp_path / "large.safetensors", packed(header))
    with path.open("r+b") as file:
        file.truncate(8 + len(header) + size)
    with opened(path, allowance=10_000) as window:
        assert facts_of(window, path.name).parameters == size // 4
        assert window.spent == 8 + len(header)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes, old: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    path.write_bytes(GOOD[:at] + new + GOOD[at + old :])
    with contextlib.suppress(FormatError):
        assert read(path).format == "safetensors"
