"""`modelshelf.load`: from an installed package to arrays out, or to an error that helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import modelshelf
from modelshelf.errors import LockStale, NotFound, Refused, UsageError
from tests.conftest import Shelf

X = np.array([[1, 2], [3, 4], [5, 6]], np.float32)


@pytest.mark.parametrize(("variant", "factor"), [(None, 2.0), ("small", 2.0), ("large", 2.5)])
def test_onnx_is_run(variant: str | None, factor: float, installed: str, project: Path) -> None:
    model = modelshelf.load(installed, variant=variant, shelf=project)
    np.testing.assert_allclose(model(x=X)["y"], X * factor)
    np.testing.assert_allclose(model(signature="scale", x=list(X))["y"], X * factor)
    assert (model.name, model.version, model.format) == (installed, "1.0.0", "onnx")
    assert model.variant == (variant or "small")
    assert model.variants == ("small", "large")
    assert str(model.signatures["scale"]) in repr(model)


def test_safetensors_are_arrays(installed: str, project: Path, shelf: Shelf) -> None:
    assert shelf("install", installed, "--format", "safetensors").code == 0
    model = modelshelf.load(installed, shelf=project)
    assert isinstance(model.native, dict)
    np.testing.assert_array_equal(model.native["factor"], np.full((2,), 2.0, np.float32))
    assert model.format == "safetensors"
    with pytest.raises(UsageError, match="weights, not a program"):
        model(x=X)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, ("missing", "x=float32[batch, 2]")),
        ({"z": X}, ("no input `z`",)),
        ({"x": X, "z": X}, ("no input `z`",)),
        ({"x": X.astype(np.float64)}, ("dtype", "float32", "float64", "astype")),
        ({"x": X[0]}, ("1 axes instead of 2",)),
        ({"x": X[:, :1]}, ("wrong shape", "float32[batch, 2]")),
        ({"x": "text"}, ("dtype",)),
        ({"signature": "scal", "x": X}, ("no signature `scal`", "scale")),
    ],
)
def test_wrong_calls_show_the_signature(
    inputs: dict[str, object], words: tuple[str, ...], installed: str, project: Path
) -> None:
    model = modelshelf.load(installed, shelf=project)
    with pytest.raises(UsageError) as caught:
        model(**inputs)  # type: ignore[arg-type]
    told = f"{caught.value} {caught.value.as_json()}"
    for word in words:
        assert word in told
    if "signature" not in inputs:
        assert f"scale{model.signatures['scale']}" == caught.value.where


@pytest.mark.parametrize(
    ("name", "options", "error", "hint"),
    [
        ("nobody/nothing", {}, NotFound, "shelf install nobody/nothing"),
        (None, {"variant": "smal"}, NotFound, "small"),
        (None, {"format": "gguf"}, NotFound, "--format gguf"),
    ],
)
def test_what_is_not_there(
    name: str | None,
    options: dict[str, str],
    error: type[Exception],
    hint: str,
    installed: str,
    project: Path,
) -> None:
    with pytest.raises(error) as caught:
        modelshelf.load(name or installed, shelf=project, **options)  # type: ignore[arg-type]
    assert hint in str(getattr(caught.value, "hint", None))


@pytest.mark.parametrize("lost", ["small.onnx", ".release.json"])
def test_files_that_are_gone(lost: str, installed: str, project: Path) -> None:
    (project / ".shelf" / installed / "1.0.0" / lost).unlink()
    with pytest.raises(LockStale) as caught:
        modelshelf.load(installed, shelf=project)
    assert caught.value.exit_code == 4
    assert caught.value.hint == "run: shelf sync"


def test_wanted_but_not_installed(project: Path) -> None:
    (project / "shelf.toml").write_text('[dependencies]\n"acme/scale" = "^1.0"\n')
    with pytest.raises(LockStale, match="not installed"):
        modelshelf.load("acme/scale", shelf=project)


def test_a_nearly_right_name(installed: str, project: Path) -> None:
    with pytest.raises(NotFound) as caught:
        modelshelf.load(installed[:-1], shelf=project)
    assert installed in str(caught.value.hint)


def test_code_needs_consent(shelf: Shelf, publisher: str, tmp_path: Path, project: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    sentinel = tmp_path / "it-ran"
    (folder / "hubconf.py").write_text(
        f"open({str(sentinel)!r}, 'w').close()\n\n\ndef scale():\n    return None\n"
    )
    (folder / "shelf.toml").write_text(
        f'[package]\nname = "{publisher}/hub"\nversion = "1.0.0"\nsummary = "Code"\n'
        'license = "MIT"\ntask = "other"\n[entrypoints.scale]\n'
        '[[variants]]\nname = "hub"\nentrypoint = "scale"\n'
        '[[variants.artifacts]]\nformat = "pytorch-hub"\nfiles = ["hubconf.py"]\n'
    )
    assert shelf("publish", str(folder)).code == 0
    assert shelf("install", f"{publisher}/hub", "--allow-pickle").code == 0
    with pytest.raises(Refused, match="run the publisher's code"):
        modelshelf.load(f"{publisher}/hub", shelf=project)
    assert not sentinel.exists()


def test_the_shelf_above_the_working_directory(
    installed: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    assert modelshelf.load(installed).folder == project / ".shelf" / installed / "1.0.0"
