"""Where tensors lie in a release, and what the store is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from modelshelf.checks.layout import WIDEST, WIDTHS, cuts, layout
from modelshelf.formats import Facts, carrier, read
from modelshelf.formats.gguf_header import TYPES
from modelshelf.formats.spans import Span
from modelshelf.package.signature import DTYPES
from modelshelf.store.recipe import SEGMENT_BYTES, Cut, pieces
from tests.formats.matrix import cases

FORMATS = Path(__file__).parents[1] / "formats"
FILES = [case for path in sorted(FORMATS.iterdir()) if path.is_dir() for case in cases(path)]


def facts(**spans: tuple[Span, ...]) -> Facts:
    return Facts(format="x", framework="any", spans={f"{name}.bin": s for name, s in spans.items()})


def test_paths_are_those_of_the_release() -> None:
    a, b = Span(0, 4, "int8", "a"), Span(4, 8, "int8", "b")
    assert layout({"top.onnx": facts(w=(a,)), "small/m.onnx": facts(w=(b,), v=(a,))}) == {
        "w.bin": (a,),
        "small/w.bin": (b,),
        "small/v.bin": (a,),
    }


def test_two_files_tell_of_one() -> None:
    a, b = Span(0, 4, "int8", "a"), Span(4, 8, "int8", "b")
    told = {"f/x.onnx": facts(w=(b,)), "f/y.onnx": facts(w=(a, b)), "f/z.onnx": facts()}
    assert layout(told) == {"f/w.bin": (a, b)}


@pytest.mark.parametrize(
    ("dtype", "width", "floating"),
    [
        ("bool", 1, False), ("int64", 8, False), ("float8_e5m2", 1, True), ("bfloat16", 2, True),
        ("float32", 4, True), ("complex64", 4, True), ("complex128", 8, True), ("q4_0", 18, False),
        ("q6_k", 210, False), ("int4", 0, False), ("string", 0, False), ("q8_k", 0, False),
        ("anything", 0, False),
    ],
)  # fmt: skip
def test_dtypes_have_a_width(dtype: str, width: int, floating: bool) -> None:
    assert cuts([Span(8, 800, dtype, "w")]) == (Cut(8, 800, width, floating),)


def test_every_dtype_of_whole_bytes_has_one() -> None:
    assert set(DTYPES) - WIDTHS.keys() == {"int4", "uint4", "float4", "string"}
    assert {word for word, _, size in TYPES.values() if size <= WIDEST} <= WIDTHS.keys()
    assert all(0 < width <= WIDEST for width, _ in WIDTHS.values())


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_tensors_are_whole_values_in_every_format(case: Path) -> None:
    path = carrier(case)
    for file, spans in layout({path.name: read(path)}).items():
        places = cuts(spans)
        assert all(not each.width or (each.stop - each.start) % each.width == 0 for each in places)
        size = (path.parent / file).stat().st_size
        assert {(each.start, each.size) for each in pieces(size, places)} >= {
            (each.start, each.stop - each.start) for each in places
        }


def test_segments_of_a_large_tensor_begin_with_it(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"w": np.zeros((SEGMENT_BYTES + 4) // 4, np.float32)}, path)
    (spans,) = layout({"m.safetensors": read(path)}).values()
    found = pieces(path.stat().st_size, cuts(spans))
    assert [(each.start, each.size, each.width, each.floating) for each in found[1:]] == [
        (spans[0].start, SEGMENT_BYTES, 4, True),
        (spans[0].start + SEGMENT_BYTES, 4, 4, True),
    ]
