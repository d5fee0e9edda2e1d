"""`shelf run`: an installed model, called from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Finished, Shelf, write_package

X = np.array([[1, 2], [3, 4]], np.float32)
TENSORS = (
    ("inputs.x]", "inputs.x]\n"),
    ("outputs.y]", 'outputs.y]\nmeaning = "class-scores"\nlabels = "labels.txt"\n'),
)


@pytest.fixture
def name(shelf: Shelf, publisher: str, tmp_path: Path, project: Path) -> str:
    """An installed package whose scores have labels, and files of inputs in the project."""
    name = f"{publisher}/scale"
    folder = write_package(tmp_path / "package", name=name)
    text = (folder / "shelf.toml").read_text()
    for old, new in TENSORS:
        text = text.replace(old, new)
    (folder / "shelf.toml").write_text(text)
    (folder / "labels.txt").write_text("left\nright\n")
    for command in (("publish", str(folder)), ("install", name, "--variant", "*")):
        done = shelf(*command)
        assert done.code == 0, done.err
    np.save(project / "x.npy", X)
    np.savez(project / "x.npz", x=X)
    np.savez(project / "objects.npz", x=np.array([{}], dtype=object))
    return name


def outputs(done: Finished) -> dict[str, dict[str, object]]:
    assert done.code == 0, done.err
    found = json.loads(done.out)["outputs"]
    assert isinstance(found, dict)
    return found


def test_json(name: str, shelf: Shelf) -> None:
    for given in ("x=x.npy", "x.npz", "x=[[1, 2], [3, 4]]"):
        assert outputs(shelf("run", name, "--input", given, "--json")) == {
            "y": {
                "dtype": "float32",
                "shape": [2, 2],
                "values": [[2.0, 4.0], [6.0, 8.0]],
                "labels": ["right", "right"],
            }
        }


def test_a_table(name: str, shelf: Shelf) -> None:
    done = shelf("run", name, "--variant", "large", "--signature", "scale", "--input", "x=[[4, 2]]")
    assert done.code == 0, done.err
    heads, row = done.out.splitlines()
    assert heads.split() == ["output", "dtype", "shape", "values", "label"]
    assert row.split() == ["y", "float32", "1x2", "[[10,", "5]]", "[left]"]


def test_outputs_are_saved(name: str, shelf: Shelf, project: Path) -> None:
    done = shelf("run", name, "--input", "x=x.npy", "--output", "y=y.out", "--outputs", "all.npz")
    assert done.code == 0, done.err
    np.testing.assert_array_equal(np.load(project / "y.out"), X * 2)
    with np.load(project / "all.npz") as found:
        np.testing.assert_array_equal(found["y"], X * 2)


def test_mistakes(name: str, shelf: Shelf) -> None:
    for arguments, code, words in (
        ((), 2, "the input `x` is missing"),
        (("--input", "x=[1, 2]"), 2, "1 axes instead of 2"),
        (("--input", "x=words"), 2, "neither a file nor JSON"),
        (("--input", "x=x.npy", "--signature", "scal"), 2, "no signature `scal`"),
        (("--input", "x=x.npy", "--output", "z=z.npy"), 2, "there is no output `z`"),
        (("--input", "x=x.npy", "--output", "y=no/y.npy"), 1, "No such file"),
        (("--input", "x=objects.npz"), 1, "holds Python objects"),
        (("--variant", "larg"), 1, "no variant `larg`"),
        (("--format", "safetensors"), 1, "not installed as safetensors"),
    ):
        done = shelf("run", name, *arguments)
        assert done.code == code, done.err
        assert words in done.err
