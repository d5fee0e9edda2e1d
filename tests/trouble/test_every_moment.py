"""Killed before any change to the disk, a command leaves the old state or the new one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Shelf, run_here, write_package
from tests.trouble.weights import assert_store_whole, assert_whole

SCRIPT = Path(__file__).with_name("every_moment.py")


def killed_at_every_moment(start: Path, command: list[str], env: dict[str, str]) -> Iterator[Path]:
    """Yield the folder that each round left."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(start), *command],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    moments = int(done.stdout.splitlines()[-1])
    assert moments > 5
    yield from (start.with_name(f"round-{moment}") for moment in range(moments + 1))


def locked(project: Path) -> dict[str, str]:
    path = project / "shelf.lock"
    lock = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {each["name"]: each["version"] for each in lock.get("packages", [])}


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Where each round begins: an empty home and an empty project."""
    folder = tmp_path / "rounds" / "start"
    (folder / "home").mkdir(parents=True)
    (folder / "project").mkdir()
    (folder / "project" / "shelf.toml").write_text("# mine\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("verb", ["install", "upgrade", "remove"])
def test_old_or_new_and_never_between(
    verb: str, start: Path, shelf: Shelf, publisher: str, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/scale"
    env = user_env | {"MODELSHELF_HOME": str(start / "home")}
    assert shelf("publish", str(write_package(tmp_path / "one", name=name))).code == 0
    before: dict[str, str] = {}
    after = {"install": {name: "1.0.0"}, "upgrade": {name: "1.1.0"}, "remove": {}}[verb]
    if verb != "install":
        assert run_here("install", name, cwd=start / "project", env=env).code == 0
        before = {name: "1.0.0"}
    if verb == "upgrade":
        newer = write_package(tmp_path / "two", name=name, version="1.1.0", factor=3)
        assert shelf("publish", str(newer)).code == 0

    seen = set()
    for number, folder in enumerate(killed_at_every_moment(start, [verb, name], env)):
        found = locked(folder / "project")
        assert found in (before, after)
        seen.add(found == after)
        assert (folder / "project" / "shelf.toml").read_text().startswith("# mine\n")
        assert_whole(folder / "project")
        assert_store_whole(folder / "home")
        if verb != "remove" and number % 6 == 0:
            assert_again_completes([verb, name], folder, after, env)
    assert seen == {False, True}


def assert_again_completes(
    command: list[str], folder: Path, after: dict[str, str], env: dict[str, str]
) -> None:
    """What a killed command began, the same command ends, and nothing is left lying about."""
    env = env | {"MODELSHELF_HOME": str(folder / "home")}
    done = run_here(*command, cwd=folder / "project", env=env)
    assert done.code == 0, done.err
    assert locked(folder / "project") == after
    assert_whole(folder / "project")
    partials = (folder / "home" / "store" / "partial").iterdir()
    assert all(path.suffix == ".lock" for path in partials)
    assert not list((folder / "project").rglob("*.part"))
