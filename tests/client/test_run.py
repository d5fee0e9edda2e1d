"""Inputs as they are typed: files, JSON, and what is neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelshelf.client.run import inputs, save, targets
from modelshelf.errors import UsageError
from modelshelf.package.signature import Signature, Tensor

X = np.array([[1, 2], [3, 4]], np.float32)
DTYPES = ("float32", "float16", "int8", "uint64", "bool", "string")
SIGNATURE = Signature({each: Tensor(each) for each in DTYPES}, {"y": Tensor("float32")})


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.savez("one.npz", anything=X)
    np.savez("two.npz", a=X, b=X)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a=x.npy"], {"a": X}),
        (["a=one.npz", "b=two.npz"], {"a": X, "b": X}),
        (["two.npz"], {"a": X, "b": X}),
        (["float32=[[1, 2.5]]"], {"float32": np.array([[1, 2.5]], np.float32)}),
        (["int8=[1.0, -3]"], {"int8": np.array([1, -3], np.int8)}),
        (["int8=7"], {"int8": np.int8(7)}),
        (["int8=true"], {"int8": np.int8(1)}),
        (["uint64=18446744073709551615"], {"uint64": np.uint64(2**64 - 1)}),
        (["bool=[true]"], {"bool": np.array([True])}),
        (['string=["one", "two=2"]'], {"string": np.array(["one", "two=2"], object)}),
        (["float32=[]"], {"float32": np.array([], np.float32)}),
        (["other=[1, 2]"], {"other": np.array([1, 2])}),
    ],
)
def test_what_is_given(texts: list[str], expected: dict[str, Any]) -> None:
    found = inputs(texts, SIGNATURE)
    assert found.keys() == expected.keys()
    for name, each in expected.items():
        assert found[name].dtype == each.dtype
        np.testing.assert_array_equal(found[name], each)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["x"], "`x` is no input"),
        (["=1"], "names no input"),
        (["x=there.npy"], r"there is no file there\.npy"),
        (["there.npz"], r"there is no file there\.npz"),
        (["a=x.npy", "two.npz"], "the input `a` is given twice"),
        (["c=two.npz"], r"two\.npz has no array `c`"),
        (["string=words"], "neither a file nor JSON"),
        (["float32=" + "[" * 100_000], "neither a file nor JSON"),
        (["float32=[[1], [1, 2]]"], "no array of float32"),
        (['float32=["1"]'], "no array of float32"),
        (["float32={}"], "no array of float32"),
        (["float32=1e39"], "no array of float32"),
        (["float16=70000"], "no array of float16"),
        (["int8=128"], "no array of int8"),
        (["int8=1.5"], "no array of int8"),
        (["int8=NaN"], "no array of int8"),
        (["bool=1"], "no array of bool"),
        (["string=1"], "no array of string"),
    ],
)
def test_what_is_not_understood(texts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        inputs(texts, SIGNATURE)


@pytest.mark.parametrize("text", ["y", "y=", "=y.npy", "z=z.npy"])
def test_outputs_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        targets([text], SIGNATURE)


def test_texts_are_saved_as_texts(tmp_path: Path) -> None:
    outputs = {"a": np.array(["one", "two"], object), "b": np.array([b"three"])}
    save(outputs, {"a": tmp_path / "a"}, tmp_path / "all")
    assert np.load(tmp_path / "a").tolist() == ["one", "two"]
    with np.load(tmp_path / "all") as found:
        assert found["b"].tolist() == ["three"]
    with pytest.raises(UsageError, match="no output `c`"):
        save(outputs, {"c": tmp_path / "c"}, None)
