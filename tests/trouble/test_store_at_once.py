"""Many processes with one store: installs of several projects, gc, a move, damage."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Shelf, run_here, write_package
from tests.trouble.weights import assert_store_whole, assert_whole

SEVERAL = """\
import json, sys
from modelshelf.cli import main
for command in json.loads(sys.argv[1]):
    code = main([*command, "--quiet"])
    if code:
        sys.exit(f"{command}: {code}")
"""


@pytest.fixture
def names(shelf: Shelf, publisher: str, tmp_path: Path) -> list[str]:
    """Three packages of two releases each; all have a file in common."""
    names = [f"{publisher}/{word}" for word in ("one", "two", "three")]
    for factor, name in enumerate(names):
        for version in ("1.0.0", "1.1.0"):
            folder = write_package(
                tmp_path / name / version, name=name, version=version,
                factor=factor + (2.0 if version == "1.0.0" else 2.5),
            )  # fmt: skip
            assert shelf("publish", str(folder)).code == 0
    return names


def started(folder: Path, commands: list[list[str]], env: dict[str, str]) -> subprocess.Popen[str]:
    """One process that runs the commands one after another in `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "shelf.toml").touch()
    return subprocess.Popen(
        [sys.executable, "-c", SEVERAL, json.dumps(commands)],
        cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def road(name: str, other: str) -> list[list[str]]:
    """What one project does, over and over."""
    return [
        ["install", f"{name}@^1.0", "--variant", "*"],
        ["install", f"{other}@=1.0.0"],
        ["upgrade"],
        ["remove", name],
    ] * 3 + [["install", name, other, "--variant", "*"]]


@pytest.mark.parametrize("beside", ["gc", "move"])
def test_installs_of_several_projects_beside_those_who_look_after_the_store(
    beside: str, names: list[str], tmp_path: Path, user_env: dict[str, str]
) -> None:
    folders = [tmp_path / f"project-{number}" for number in range(3)]
    others = {
        "gc": [["gc"], ["du"], ["gc", "--dry-run"]] * 12,
        "move": [["move-store", str(tmp_path / f"store-{turn % 3}")] for turn in range(12)],
    }
    processes = [
        started(folder, road(names[turn], names[turn - 1]), user_env)
        for turn, folder in enumerate(folders)
    ]
    processes.append(started(tmp_path / "beside", others[beside], user_env))
    told = [each.communicate(timeout=120)[1] for each in processes]
    assert [each.returncode for each in processes] == [0] * 4, told
    for folder in folders:
        assert_whole(folder)
        done = run_here("verify", "--store", "--json", cwd=folder, env=user_env)
        assert done.code == 0, done.out
        done = run_here("sync", "--frozen", "--offline", cwd=folder, env=user_env)
        assert done.code == 0, done.err
    assert_store_whole(Path(user_env["MODELSHELF_HOME"]))


def test_all_of_them_are_killed_again_and_again(
    names: list[str], tmp_path: Path, user_env: dict[str, str]
) -> None:
    """Three projects, gc and moves side by side, each killed at random moments, then let be."""
    choice = random.Random(11)
    roads = {
        tmp_path / f"project-{turn}": road(names[turn], names[turn - 1]) for turn in range(3)
    } | {tmp_path / "beside": [["gc"], ["move-store", str(tmp_path / "store")], ["gc"]]}
    killed = 0
    for turn in range(8):
        roads[tmp_path / "beside"][1][1] = str(tmp_path / f"store-{turn % 3}")
        running = [started(folder, commands, user_env) for folder, commands in roads.items()]
        for process in sorted(running, key=lambda _each: choice.random()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(choice.uniform(0, 0.7))
            process.kill()
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
        for folder in roads:
            done = run_here("verify", "--store", cwd=folder, env=user_env)
            assert done.code == 0, done
    assert killed > 8
    for folder, commands in list(roads.items())[:3]:
        process = started(folder, commands[-1:], user_env)
        assert process.communicate()[1] == ""
        assert process.returncode == 0
        assert_whole(folder)
        assert run_here("verify", "--store", cwd=folder, env=user_env).code == 0
    assert_store_whole(Path(user_env["MODELSHELF_HOME"]))
