"""The first draft of a manifest: what the files say is in it, and it can be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from modelshelf.client.init import _signature, drafted
from modelshelf.package import manifest
from modelshelf.package.signature import Interval, Signature, Tensor
from tests.conftest import write_onnx


def test_variants_signature_and_readme_come_from_the_files(tmp_path: Path) -> None:
    for name in ("small", "large"):
        write_onnx(tmp_path / f"{name}.onnx", 2.0)
    (tmp_path / "README.md").write_text("# Scale\n")
    record = manifest.parse(drafted(tmp_path, "acme/scale"))
    assert [variant.name for variant in record.variants] == ["large", "small"]
    assert str(record.signatures["default"]) == "(x: float32[batch, 2]) -> (y: float32[batch, 2])"
    assert record.package.readme == "README.md"


@pytest.mark.parametrize(
    "signature",
    [
        Signature({"x": Tensor("float32", (1, "n"))}, {"y": Tensor("float32", ("n",))}),
        Signature({"a:0": Tensor("int64", ())}, {'say "so"': Tensor("string")}),
        Signature(
            {"x": Tensor("float32", ("h", "h"))},
            {"y": Tensor("float32", (1,))},
            symbols={"h": Interval(32, 512, 32)},
        ),
    ],
)
def test_a_signature_is_written_as_it_is_read(signature: Signature) -> None:
    tables = tomllib.loads(_signature("main", signature))
    assert msgspec.convert(tables["signatures"]["main"], Signature) == signature


def test_unknown_sizes_are_not_tied() -> None:
    signature = Signature({"x": Tensor("int8", (None, 3))}, {"y": Tensor("int8", (None, None))})
    tables = tomllib.loads(_signature("main", signature))["signatures"]["main"]
    assert (tables["inputs"]["x"]["shape"], tables["outputs"]["y"]["shape"]) == (
        ["any1", 3],
        ["any2", "any3"],
    )
