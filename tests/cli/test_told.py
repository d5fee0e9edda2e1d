"""What commands say of what they did: each step once, and what stays all the same."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import blake3
import pytest

from tests.conftest import Shelf


@pytest.fixture
def two(shelf: Shelf, project: Path, publisher: str, package: Callable[..., Path]) -> str:
    """A publisher whose `reader` needs its `scale`, which has two releases."""
    needs = {f"{publisher}/scale": "^1.0"}
    for name, version in (("scale", "1.0.0"), ("reader", "1.0.0"), ("scale", "1.1.0")):
        folder = project.parent / f"{name}-{version}"
        wanted = needs if name == "reader" else None
        package(folder, name=f"{publisher}/{name}", version=version, dependencies=wanted)
        assert shelf("publish", str(folder)).code == 0
    return publisher


def test_a_step_is_told_once(shelf: Shelf, two: str) -> None:
    name = f"{two}/scale"
    assert shelf("add", f"{name}@=1.0.0").code == 0
    told = shelf("upgrade", "--major", "--dry-run").out.splitlines()
    assert [line for line in told if name in line] == [f"~ {name} 1.0.0 -> 1.1.0 (minor)"]


def test_a_step_is_told_before_anything_is_fetched(
    shelf: Shelf, two: str, project: Path, registry_data: Path
) -> None:
    assert shelf("add", f"{two}/scale@=1.0.0").code == 0
    manifest = (project.parent / "scale-1.1.0" / "shelf.toml").read_bytes()
    names = (hashlib.sha256(manifest).hexdigest(), blake3.blake3(manifest).hexdigest())
    for name in names:  # the whole file, and its only segment
        for path in registry_data.rglob(name):
            path.unlink()
    done = shelf("upgrade", "--major")
    assert done.code != 0
    assert f"~ {two}/scale 1.0.0 -> 1.1.0 (minor)" in done.out
    assert "Fetched" not in done.out


def test_what_others_need_stays_and_it_is_said(shelf: Shelf, two: str) -> None:
    assert shelf("add", f"{two}/reader", f"{two}/scale").code == 0
    told = shelf("remove", f"{two}/scale").out
    assert told == f"{two}/scale 1.1.0 stays, it is needed by {two}/reader\n"
    told = shelf("remove", f"{two}/reader").out
    assert told.splitlines() == [f"- {two}/reader 1.0.0", f"- {two}/scale 1.1.0"]


def test_what_was_locked_elsewhere_is_told_when_it_comes(
    shelf: Shelf, two: str, project: Path
) -> None:
    assert shelf("add", f"{two}/scale").code == 0
    assert shelf("sync", "--frozen").out == "Everything is installed.\n"
    shutil.rmtree(project / ".shelf")
    assert shelf("sync", "--frozen").out == f"+ {two}/scale 1.1.0\n"


@pytest.mark.parametrize(
    "words", ["sync", "sync --locked", "lock", "upgrade", "install", "rollback"]
)
def test_a_folder_that_is_no_project_is_no_success(
    shelf: Shelf, tmp_path: Path, words: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = shelf(*words.split(), cwd=elsewhere)
    assert (done.code, done.out) == (1, "")
    assert "there is no shelf.toml here" in done.err
    assert not any(elsewhere.iterdir())
