"""gc and move-store, killed before each of their changes to the disk: nothing needed is ever lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from modelshelf.client.pins import pinned
from tests.conftest import Finished, Shelf, run_here, write_package
from tests.trouble.test_every_moment import killed_at_every_moment
from tests.trouble.weights import assert_store_whole


@pytest.fixture
def start(shelf: Shelf, publisher: str, tmp_path: Path, user_env: dict[str, str]) -> Path:
    """A home whose store has one release that is pinned and one that nobody needs any more."""
    name = f"{publisher}/scale"
    folder = tmp_path / "rounds" / "start"
    (folder / "home").mkdir(parents=True)
    (folder / "project").mkdir()
    (folder / "project" / "shelf.toml").touch()
    for version, factor in (("1.0.0", 2.0), ("2.0.0", 3.0)):
        package = write_package(tmp_path / version, name=name, version=version, factor=factor)
        assert shelf("publish", str(package)).code == 0
        assert in_home(folder, ["pin", f"{name}@{version}"], user_env).code == 0
    assert in_home(folder, ["pin", "--drop", f"{name}@1.0.0"], user_env).code == 0
    return folder


def in_home(folder: Path, command: list[str], env: dict[str, str]) -> Finished:
    env = env | {"MODELSHELF_HOME": str(folder / "home")}
    return run_here(*command, cwd=folder / "project", env=env)


def store_of(folder: Path) -> Path:
    """Where the settings say that the store lies."""
    path = folder / "home" / "settings.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    return Path(kept.get("store", folder / "home" / "store"))


def needed(folder: Path) -> set[str]:
    (lock,) = pinned(folder / "home").values()
    (release,) = lock.packages
    return {release.manifest, *(file.sha256 for file in release.installed_files())}


def stored(store: Path) -> set[str]:
    for path in (store / "files").glob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    return {path.name for path in (store / "files").glob("*/*")}


def test_gc(start: Path, user_env: dict[str, str]) -> None:
    before, counts = stored(start / "home" / "store"), set()
    for folder in killed_at_every_moment(start, ["gc"], user_env):
        found = stored(store_of(folder))
        assert needed(folder) <= found <= before
        counts.add(len(found))
        assert in_home(folder, ["gc"], user_env).code == 0
        assert stored(store_of(folder)) == needed(folder)
    assert counts == set(range(len(needed(start)), len(before) + 1))


def test_move_store(start: Path, user_env: dict[str, str]) -> None:
    before, places = stored(start / "home" / "store"), set()
    command = ["move-store", "../moved"]
    for folder in killed_at_every_moment(start, command, user_env):
        assert stored(store_of(folder)) == before
        places.add(store_of(folder) == folder / "moved")
        again = in_home(folder, command, user_env)
        assert again.code == 0, again
        assert store_of(folder) == folder / "moved"
        assert stored(folder / "moved") == before
        assert_store_whole(folder / "home")
        assert (folder / "home" / "store").is_symlink()
        assert not list((folder / "home").glob(".*.moved"))
        assert not (folder / "moved" / "moving").exists()
    assert places == {False, True}
