"""What a call takes: counted by the runtime that ran it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelshelf.errors import FormatError, UsageError
from modelshelf.package import manifest
from modelshelf.serve.macs import multiply_accumulates
from modelshelf.serve.measure import example, measure


def node(operator: str, inputs: list[list[int]], output: list[int]) -> dict[str, object]:
    return {
        "op_name": operator,
        "input_type_shape": [{"float": shape} for shape in inputs],
        "output_type_shape": [{"float": output}],
    }


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "macs"),
    [
        ("Conv", [[2, 3, 8, 8], [16, 3, 3, 3]], [2, 16, 8, 8], 2 * 16 * 64 * 27),
        ("Conv", [[1, 16, 8, 8], [16, 1, 3, 3]], [1, 16, 8, 8], 16 * 64 * 9),
        ("ConvTranspose", [[1, 4, 5, 5], [4, 2, 2, 2]], [1, 2, 10, 10], 4 * 25 * 2 * 4),
        ("MatMul", [[7, 5, 4], [7, 4, 6]], [7, 5, 6], 7 * 5 * 6 * 4),
        ("Gemm", [[5, 4], [6, 4]], [5, 6], 5 * 6 * 4),
        ("Gemm", [[4, 5], [4, 6]], [5, 6], 5 * 6 * 4),
        ("Gemm", [[4, 4], [4, 4]], [4, 4], 64),
        ("Relu", [[5, 4]], [5, 4], 0),
        ("MatMul", [[0, 4], [4, 6]], [0, 6], 0),
    ],
)
def test_what_operators_multiply(
    operator: str, inputs: list[list[int]], output: list[int], macs: int
) -> None:
    assert multiply_accumulates([node(operator, inputs, output)]) == macs


def test_a_graph_is_measured(package: Callable[..., Path], tmp_path: Path) -> None:
    cost = measure(package(tmp_path / "p"), "small", "onnx")
    assert cost.macs == 0  # one multiplication by a constant, no product of matrices
    assert cost.tool.startswith("onnxruntime ")
    assert cost.inputs == {"x": "float32[1, 2]"}
    assert cost.peak_memory
    assert cost.peak_memory > 0


def test_weights_alone_are_not_measured(package: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be measured") as caught:
        measure(package(tmp_path / "p"), "small", "safetensors")
    assert "weights, not a program" in str(caught.value.got)


def test_golden_inputs_are_the_example(package: Callable[..., Path], tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    np.savez(folder / "in.npz", x=np.ones((3, 2), np.float32))
    np.savez(folder / "out.npz", y=np.ones((3, 2), np.float32))
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    text += '\n[[golden]]\nname = "ones"\ninputs = "in.npz"\noutputs = "out.npz"\n'
    record = manifest.parse(text)
    small, large = record.variants
    assert example(record, folder, small)["x"].shape == (3, 2)
    assert example(record, folder, large)["x"].shape == (1, 2)


def test_symbols_stand_for_their_least_size(package: Callable[..., Path], tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    text = text.replace(
        "[signatures.scale.outputs.y]",
        "[signatures.scale.symbols.batch]\nmin = 4\n[signatures.scale.outputs.y]",
    )
    record = manifest.parse(text)
    assert example(record, folder, record.variants[0])["x"].shape == (4, 2)


def test_nothing_is_known_of_the_inputs(package: Callable[..., Path], tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    text = text[: text.index("[signatures")] + text[text.index("[[variants]]") :]
    record = manifest.parse(text)
    with pytest.raises(UsageError, match="what the model takes"):
        example(record, folder, record.variants[0])
