"""A package with others before and after it: one model, from a real registry and shelf."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import modelshelf
from modelshelf.errors import LockStale, Refused, UsageError
from tests.conftest import Shelf, write_package

X = np.array([[1, 2], [3, 4]], np.float32)
Publish = Callable[..., str]


@pytest.fixture
def publish(shelf: Shelf, publisher: str, tmp_path: Path) -> Publish:
    """`publish("net", 3.0, before="preprocess")`: a model that multiplies, and what it needs."""

    def run(
        short: str, factor: float, *, version: str = "1.0.0", x: str = "", y: str = "", **kinds: str
    ) -> str:
        name = f"{publisher}/{short}"
        folder = write_package(
            tmp_path / short / version, name=name, version=version, factor=factor
        )
        wanted = "".join(
            f'"{publisher}/{each}" = {{ version = "^1.0", kind = "{kind}" }}\n'
            for each, kind in kinds.items()
        )
        text = (folder / "shelf.toml").read_text()
        text = text.replace("[signatures", f"[dependencies]\n{wanted}[signatures", 1)
        for place, more in (("inputs.x]", x), ("outputs.y]", y)):
            text = text.replace(place, f"{place}\n{more}")
        (folder / "shelf.toml").write_text(text)
        done = shelf("publish", str(folder))
        return name if done.code == 0 else done.err

    return run


def test_a_chain_is_one_model(publish: Publish, shelf: Shelf, project: Path) -> None:
    before, after = publish("before", 2.0), publish("after", 5.0)
    net = publish("net", 3.0, before="preprocess", after="pipeline")
    assert shelf("install", net).code == 0
    model = modelshelf.load(net, shelf=project)
    np.testing.assert_array_equal(model(x=X)["y"], X * 30)
    assert str(model.signatures["scale"]) == "(x: float32[batch, 2]) -> (y: float32[batch, 2])"
    assert isinstance(model.native, dict)
    assert list(model.native) == [before, net, after]
    alone = modelshelf.load(net, shelf=project, alone=True)
    np.testing.assert_array_equal(alone(x=X)["y"], X * 3)
    with pytest.raises(UsageError, match="wrong shape"):
        model(x=X[:, :1])
    program = shelf("load-example", net)
    assert "np.zeros((1, 2)" in program.out


def test_a_chain_that_does_not_fit_is_not_locked(
    publish: Publish, shelf: Shelf, project: Path
) -> None:
    before = publish("before", 2.0)
    net = publish("net", 3.0, x="range = [0.0, 255.0]", before="preprocess")
    publish("before", 2.0, version="1.1.0", y="range = [0.0, 1.0]")
    done = shelf("install", net)
    assert done.code == 1
    assert not (project / "shelf.lock").exists()
    for words in (
        f"the pipeline of {net} 1.0.0 does not fit together",
        f"{before}.scale.y is float32[batch, 2]",
        f"{net}.scale.x takes float32[batch, 2]",
        "the range differs: (0.0, 1.0) and (0.0, 255.0)",
    ):
        assert words in done.err
    assert shelf("install", f"{before}@=1.0.0").code == 0
    assert shelf("install", net).code == 0
    np.testing.assert_array_equal(modelshelf.load(net, shelf=project)(x=X)["y"], X * 6)


def test_a_chain_that_does_not_fit_is_not_published(publish: Publish, publisher: str) -> None:
    before = publish("before", 2.0, y="range = [0.0, 1.0]")
    told = publish("net", 3.0, x="range = [0.0, 255.0]", before="preprocess")
    for words in (f"{before}.scale.y is", f"{publisher}/net.scale.x takes", "the range differs"):
        assert words in told


def test_a_circle_is_not_published(publish: Publish) -> None:
    net = publish("net", 3.0)
    before = publish("before", 2.0, net="preprocess")
    told = publish("net", 3.0, version="1.1.0", before="preprocess")
    assert f"the pipeline runs in a circle: {net} -> {before} -> {net}" in told


def test_a_stage_that_is_gone(publish: Publish, shelf: Shelf, project: Path) -> None:
    before = publish("before", 2.0)
    net = publish("net", 3.0, before="preprocess")
    assert shelf("install", net).code == 0
    (project / ".shelf" / before / "1.0.0" / "small.onnx").unlink()
    with pytest.raises(LockStale, match=r"small\.onnx is gone"):
        modelshelf.load(net, shelf=project)
    assert modelshelf.load(net, shelf=project, alone=True)(x=X)["y"].shape == (2, 2)


def test_every_stage_needs_consent(
    publish: Publish, shelf: Shelf, publisher: str, project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "hubconf.py").write_text("def scale():\n    return None\n")
    text = (write_package(tmp_path / "any") / "shelf.toml").read_text()
    text = text[: text.index("[[variants]]")].replace("acme/scale", f"{publisher}/hub")
    (folder / "shelf.toml").write_text(
        f'{text}[entrypoints.scale]\n[[variants]]\nname = "hub"\nentrypoint = "scale"\n'
        '[[variants.artifacts]]\nformat = "pytorch-hub"\nfiles = ["hubconf.py"]\n'
    )
    assert shelf("publish", str(folder)).code == 0
    net = publish("net", 3.0, hub="preprocess")
    assert shelf("install", net).code == 8
    assert shelf("install", net, "--allow-pickle").code == 0
    with pytest.raises(Refused, match="run the publisher's code"):
        modelshelf.load(net, shelf=project)
