"""An installed PyTorch entrypoint, run by real torch with consent, agrees with its ONNX twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import modelshelf
from modelshelf.errors import FormatError, Refused
from tests.conftest import Shelf, write_package

torch = pytest.importorskip("torch")

HUBCONF = """\
dependencies = ["torch"]

from network import Scale as _Scale


def scale(pretrained: bool = True):
    \"\"\"Doubles numbers.\"\"\"
    import os.path, torch
    model = _Scale()
    if pretrained:
        weights = os.path.join(os.path.dirname(__file__), "scale.pt")
        model.load_state_dict(torch.load(weights, weights_only=True))
    return model


def broken():
    \"\"\"Never works.\"\"\"
    raise ValueError("no weights")
"""

NETWORK = """\
import torch


class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(2))

    def forward(self, x):
        return x * self.factor
"""

MORE = """
[entrypoints.scale]
[entrypoints.broken]

[[variants]]
name = "torch"
entrypoint = "scale"
[[variants.artifacts]]
format = "pytorch-hub"
files = ["hubconf.py", "network.py", "scale.pt"]

[[variants]]
name = "torch-broken"
entrypoint = "broken"
[[variants.artifacts]]
format = "pytorch-hub"
files = ["hubconf.py", "network.py", "scale.pt"]
"""


@pytest.fixture
def installed(
    shelf: Shelf,
    publisher: str,
    tmp_path: Path,
) -> str:
    """A published and installed package with an ONNX variant and the same in torch."""
    name = f"{publisher}/scale"
    folder = write_package(tmp_path / "package", name=name, factor=2.0)
    (folder / "hubconf.py").write_text(HUBCONF)
    (folder / "network.py").write_text(NETWORK)
    torch.save({"factor": torch.full((2,), 2.0)}, folder / "scale.pt")
    manifest = folder / "shelf.toml"
    manifest.write_text(manifest.read_text() + MORE)
    for words in (
        ("publish", str(folder)),
        ("install", name, "--variant", "small", "--variant", "torch", "--variant", "torch-broken",
         "--allow-pickle"),
    ):  # fmt: skip
        done = shelf(*words)
        assert done.code == 0, done.err
    return name


def test_the_entrypoint_runs_and_agrees_with_onnx(installed: str, project: Path) -> None:
    """The same numbers in, the same numbers out, whatever the runtime."""
    numbers = np.array([[1.0, -3.0], [0.5, 8.0]], dtype=np.float32)
    onnx = modelshelf.load(installed, variant="small", shelf=project)
    hub = modelshelf.load(installed, variant="torch", allow_pickle=True, shelf=project)
    assert hub.format == "pytorch-hub"
    np.testing.assert_allclose(hub(x=numbers)["y"], onnx(x=numbers)["y"], rtol=1e-6)


def test_nothing_runs_without_consent(installed: str, project: Path) -> None:
    with pytest.raises(Refused, match="can run the publisher's code"):
        modelshelf.load(installed, variant="torch", shelf=project)


def test_an_entrypoint_that_fails_is_told(installed: str, project: Path) -> None:
    with pytest.raises(FormatError, match="no weights"):
        modelshelf.load(installed, variant="torch-broken", allow_pickle=True, shelf=project)


def test_loading_leaves_no_bytecode_on_the_shelf(installed: str, project: Path) -> None:
    modelshelf.load(installed, variant="torch", allow_pickle=True, shelf=project)
    assert not list((project / ".shelf").rglob("__pycache__"))
