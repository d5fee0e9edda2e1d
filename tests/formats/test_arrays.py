"""Arrays out of `.npz` and `.npy` files, and how far two of them are apart."""

from __future__ import annotations

import math
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelshelf.errors import FormatError
from modelshelf.formats.arrays import difference, read_arrays

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_by_name(save: Any, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "a": np.arange(6, dtype=np.int64).reshape(2, 3),
        "scalar": np.float32(2.5),
        "turned": np.asfortranarray(np.ones((2, 3))),
        "none": np.zeros((0, 3)),
        "text": np.array(["one", "two"]),
    }
    save(tmp_path / "x.npz", **arrays)
    found = read_arrays(tmp_path / "x.npz")
    assert list(found) == list(arrays)
    for name, each in arrays.items():
        np.testing.assert_array_equal(found[name], each)
        assert found[name].shape == each.shape
    np.save(tmp_path / "x.npy", arrays["a"])
    np.testing.assert_array_equal(read_arrays(tmp_path / "x.npy")["array"], arrays["a"])


def _huge(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(8)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content)


def _objects(path: Path) -> None:
    np.savez(path, a=np.array([{}], dtype=object))


def _bomb(path: Path) -> None:
    np.savez_compressed(path, a=np.zeros(9 * 1024 * 1024))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (_huge, "do not fill"),
        (_objects, "no plain arrays"),
        (_bomb, "more than an example needs"),
        (lambda path: path.write_bytes(b""), "x.npz"),
        (lambda path: path.write_bytes(b"PK\x03\x04 and so on"), "x.npz"),
        (lambda path: None, "x.npz"),
    ],
)
def test_what_is_no_example_is_refused(write: Any, words: str, tmp_path: Path) -> None:
    write(tmp_path / "x.npz")
    with pytest.raises(FormatError) as caught:
        read_arrays(tmp_path / "x.npz")
    assert words in f"{caught.value} {caught.value.where}"
    assert caught.value.hint or "example" in words


@pytest.mark.parametrize(
    ("expected", "given", "worst", "beyond"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0, 0),
        ([1.0, 2.0], [1.05, 2.0], 0.05, 0),
        ([0.0, 100.0], [0.3, 105.0], 5.0, 0.3),
        ([NAN, INF], [NAN, INF], 0, 0),
        ([1.0], [NAN], INF, INF),
        ([INF], [-INF], INF, INF),
        ([1.0], [1.0, 1.0], INF, INF),
        (["a"], ["a"], 0, 0),
        (["a"], ["b"], INF, INF),
        ([True], [False], 1, 1),
        ([1 + 1j], [1 + 1.05j], 0.05, 0),
        ([], [], 0, 0),
    ],
)
def test_how_far_apart(expected: list[Any], given: list[Any], worst: float, beyond: float) -> None:
    found = difference(np.array(expected), np.array(given), absolute=0.1, relative=0.1)
    assert found == pytest.approx((worst, beyond))
