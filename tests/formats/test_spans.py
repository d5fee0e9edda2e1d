"""Spans: where tensors lie, the same for every format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from modelshelf.formats import carrier, read
from modelshelf.formats.spans import Span, by_file, disjoint
from tests.formats.matrix import cases

if TYPE_CHECKING:
    TorchFiles = Any

FOLDERS = sorted(path for path in Path(__file__).parent.iterdir() if path.is_dir())
FILES = [case for folder in FOLDERS for case in cases(folder)]
SPANS = st.lists(
    st.builds(
        lambda start, size, name: Span(start, start + size, "int8", name),
        st.integers(0, 60),
        st.integers(0, 20),
        st.sampled_from("abc"),
    ),
    max_size=12,
)


@given(SPANS)
def test_every_byte_lies_in_one_span(spans: list[Span]) -> None:
    found = disjoint(spans)
    covered = [place for each in found for place in range(each.start, each.stop)]
    assert covered == sorted({place for each in spans for place in range(each.start, each.stop)})
    assert disjoint(found) == found
    assert {each.name for each in found} <= {each.name for each in spans}


@given(SPANS, st.randoms())
def test_the_order_of_tensors_makes_no_difference(spans: list[Span], random: Any) -> None:
    shuffled = random.sample(spans, len(spans))
    assert disjoint(shuffled) == disjoint(spans)


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(0, 4, "b"), (0, 4, "a")], [(0, 4, "a")]),
        ([(0, 2, "row"), (0, 8, "whole"), (6, 8, "other")], [(0, 8, "whole")]),
        ([(0, 4, "a"), (2, 9, "b")], [(0, 9, "b")]),
        ([(4, 8, "b"), (0, 4, "a"), (4, 4, "empty")], [(0, 4, "a"), (4, 8, "b")]),
    ],
)
def test_what_overlaps_is_called_like_the_longest(spans: Any, found: Any) -> None:
    made = disjoint(Span(start, stop, "int8", name) for start, stop, name in spans)
    assert [(start, stop, name) for start, stop, _, name in made] == found


def test_files_without_bytes_are_left_out() -> None:
    some = Span(0, 4, "int8", "a")
    assert by_file([("x", some), ("y", Span(3, 3, "int8", "b"))]) == {"x": (some,)}


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_spans_of_every_format(case: Path) -> None:
    path = carrier(case)
    facts = read(path)
    dtypes = {each.name: each.dtype for each in facts.tensors}
    for file, spans in facts.spans.items():
        size = (path.parent / file).stat().st_size
        assert spans == disjoint(spans)
        assert spans[-1].stop <= size
        assert all(each.dtype == dtypes.get(each.name, each.dtype) for each in spans)
    named = {each.name for spans in facts.spans.values() for each in spans}
    assert not facts.spans or named & dtypes.keys() or facts.format.startswith("tf-")


WEIGHTS: dict[str, tuple[str, Any]] = {
    "head.weight": ("BFloat16Storage", np.arange(6, dtype="<u2").reshape(2, 3)),
    "head.bias": ("FloatStorage", np.linspace(0, 1, 3, dtype="<f4")),
    "steps": ("LongStorage", np.array([7], "<i8")),
    "mask": ("BoolStorage", np.array([True, False])),
}


def told(path: Path) -> dict[str, bytes]:
    """The bytes of each span, by its name."""
    content = path.read_bytes()
    return {each.name: content[each.start : each.stop] for each in read(path).spans[path.name]}


def test_tensors_saved_in_another_format_have_the_same_bytes(
    tmp_path: Path, torch_files: TorchFiles
) -> None:
    tensors = {name: array for name, (_, array) in WEIGHTS.items()}
    save_file(tensors, tmp_path / "m.safetensors")
    keys = {name: str(number) for number, name in enumerate(WEIGHTS)}
    pickled = torch_files.state_dict(
        {
            name: torch_files.tensor(keys[name], array.shape, array.size, kind)
            for name, (kind, array) in WEIGHTS.items()
        }
    )
    storages = {keys[name]: array.tobytes() for name, array in tensors.items()}
    path = torch_files.archive(pickled, storages)
    np.savez(tmp_path / "m.npz", **tensors)
    assert told(path) == told(tmp_path / "m.safetensors") == told(tmp_path / "m.npz")
    dtypes = {each.name: each.dtype for each in read(path).spans["model.pt"]}
    assert dtypes == {
        "head.weight": "bfloat16", "head.bias": "float32", "steps": "int64", "mask": "bool",
    }  # fmt: skip
