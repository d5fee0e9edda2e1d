"""Killed at 200 random moments, a command leaves nothing wrong, and run again it comes to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Shelf, run_here, write_package

SCRIPT = Path(__file__).with_name("random_kills.py")
ROUNDS = 42


def prepared(command: str, name: str, folder: Path, env: dict[str, str]) -> list[str]:
    """Bring the project in `folder` to where the command begins; gives the whole command."""

    def run(*arguments: str) -> None:
        done = run_here(*arguments, cwd=folder / "project", env=env)
        assert done.code == 0, done.err

    if command == "install":
        return ["install", name]
    run("install", f"{name}@^1.0", "--variant", "*")
    if command == "upgrade":
        return ["upgrade", "--major"]
    if command == "remove":
        return ["remove", name]
    if command == "rollback":
        run("upgrade", "--major")
        return ["rollback", "--to", "1"]
    run("pin", f"{name}@2.0.0")
    run("pin", "--drop", name)
    return [command]


@pytest.mark.parametrize("command", ["install", "upgrade", "remove", "rollback", "gc"])
def test_nothing_is_wrong_afterwards(
    command: str, shelf: Shelf, publisher: str, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/scale"
    for version, factor in (("1.0.0", 2.0), ("2.0.0", 3.0)):
        folder = write_package(tmp_path / version, name=name, version=version, factor=factor)
        assert shelf("publish", str(folder)).code == 0
    start = tmp_path / "rounds" / "start"
    (start / "home").mkdir(parents=True)
    (start / "project").mkdir()
    (start / "project" / "shelf.toml").touch()
    env = user_env | {"MODELSHELF_HOME": str(start / "home")}
    whole = prepared(command, name, start, env)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(start), str(ROUNDS), "7", *whole],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"killed": ROUNDS, "wrong": []}
