"""The digits example: what it trains loads in every runtime, and describes itself completely."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelshelf.package import elements, manifest
from modelshelf.package.record import named_files

pytest.importorskip("sklearn")
pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
safetensors = pytest.importorskip("safetensors.numpy")

TRAIN = Path(__file__).parents[2] / "examples" / "digits" / "train.py"
PARAMETERS = {"mlp-small": 2410, "mlp-large": 50826, "cnn-small": 1370, "cnn-large": 13706}


def train(script: Path, folder: Path, release: str) -> str:
    options = ["--release", release, "--out", str(folder), "--epochs", "1"]
    command = [sys.executable, str(script), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    assert [line.split()[0] for line in train(TRAIN, folder, "1.0.0").splitlines()] == [*PARAMETERS]
    return folder


def run_onnx(package: Path, variant: str, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(package / f"{variant}.onnx")
    scores: np.ndarray = session.run(["logits"], {"image": images})[0]
    return scores


def some_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 1, 8, 8), dtype=np.float32)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("variant", PARAMETERS)
def test_onnx_gives_ten_scores_an_image(package: Path, variant: str, count: int) -> None:
    scores = run_onnx(package, variant, some_images(count))
    assert scores.shape == (count, 10)
    assert scores.dtype == np.float32


@pytest.mark.parametrize(("variant", "size"), PARAMETERS.items())
def test_safetensors_hold_every_parameter(package: Path, variant: str, size: int) -> None:
    tensors = safetensors.load_file(package / f"{variant}.safetensors")
    assert sum(tensor.size for tensor in tensors.values()) == size
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype("float32")}


def test_record_is_complete_and_names_only_what_is_there(package: Path) -> None:
    record = manifest.parse((package / "shelf.toml").read_bytes())
    assert elements.completeness(elements.describe(record)).level == "complete"
    assert (record.package.version, len(record.variants)) == ("1.0.0", 4)
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {*named_files(record), "shelf.toml"} == there


def test_accuracy_in_the_record_is_better_than_guessing(package: Path) -> None:
    record = manifest.parse((package / "shelf.toml").read_bytes())
    assert all(0.2 < variant.metrics[0].value <= 1 for variant in record.variants)


def test_the_packaged_script_trains_the_next_release(package: Path, tmp_path: Path) -> None:
    train(package / "training" / "train.py", tmp_path, "1.1.0")
    record = manifest.parse((tmp_path / "shelf.toml").read_bytes())
    assert (record.package.version, len(record.variants)) == ("1.1.0", 4)


@pytest.mark.parametrize("variant", PARAMETERS)
def test_hubconf_builds_the_same_network(package: Path, variant: str) -> None:
    torch = pytest.importorskip("torch")
    images = some_images(3)
    module = torch.hub.load(str(package), variant.replace("-", "_"), source="local")
    with torch.no_grad():
        scores = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(scores, run_onnx(package, variant, images), atol=1e-5)
