"""Locks for several environments: made on any machine, put in force on those that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Shelf

PLACES = """
[dependencies]
"{name}" = "^1.0"

[environments.server]
formats = ["safetensors"]

[environments.web]
contexts = ["javascript"]
"""


@pytest.fixture
def places(shelf: Shelf, project: Path, publisher: str, package: Callable[..., Path]) -> Path:
    """A project that wants one package in two environments."""
    name = f"{publisher}/scale"
    done = shelf("publish", str(package(project.parent / "package", name=name)))
    assert done.code == 0, done.err
    (project / "shelf.toml").write_text(PLACES.format(name=name), encoding="utf-8")
    return project


def test_a_machine_that_is_none_of_them_can_make_the_lock(shelf: Shelf, places: Path) -> None:
    assert shelf("lock").code == 0
    written = (places / "shelf.lock").read_bytes()
    assert shelf("sync").code == 2
    for environment in ("server", "web"):
        assert shelf("lock", "--upgrade", "--environment", environment).code == 0
        assert (places / "shelf.lock").read_bytes() == written


@pytest.mark.parametrize(
    ("environment", "held"), [("server", "small.safetensors"), ("web", "small.onnx")]
)
def test_each_gets_its_files_and_is_remembered(
    shelf: Shelf, places: Path, environment: str, held: str
) -> None:
    assert shelf("sync", "--environment", environment).code == 0
    assert shelf("sync", "--frozen").code == 0
    assert shelf("lock", "--check").code == 0
    models = {path.name for path in places.glob(".shelf/*/*/*/small.*")}
    assert models == {held}


@pytest.mark.parametrize("strict", ["--frozen", "--locked"])
def test_without_a_lock_strict_commands_refuse(shelf: Shelf, places: Path, strict: str) -> None:
    done = shelf("sync", strict, "--environment", "web")
    assert done.code == 4
    assert "hint: run: shelf lock" in done.err
    assert not list(places.glob(".shelf/*/*/*"))
