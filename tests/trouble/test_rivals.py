"""Two at once, strangers' tokens, names and versions that are taken: exactly one gets through."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PASSWORD, Finished, Shelf, run_here, write_package
from tests.trouble.proxy import Proxy
from tests.trouble.weights import assert_store_whole, assert_whole, write_weights


def together(commands: list[list[str]], folders: list[Path], env: dict[str, str]) -> list[Finished]:
    """Run commands at the same time, each in its folder."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "modelshelf.cli", *command],
            cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for command, folder in zip(commands, folders, strict=True)
    ]  # fmt: skip
    told = [each.communicate(timeout=60) for each in started]
    return [Finished(each.returncode, *texts) for each, texts in zip(started, told, strict=True)]


def test_the_same_version_twice_at_once(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/scale"
    factors = (2, 3, 4)
    folders = [write_package(tmp_path / str(f), name=name, factor=f) for f in factors]
    commands = [["publish", str(folder), "--json"] for folder in folders]
    done = together(commands, [project] * 3, user_env)
    assert sorted(each.code for each in done) == [0, 1, 1]
    assert {json.loads(each.out)["error"] for each in done if each.code} == {"Conflict"}
    winner = next(json.loads(each.out) for each in done if not each.code)
    assert winner["number"] == 1
    assert shelf("install", name).code == 0
    installed = (project / ".shelf" / name / "1.0.0" / "small.onnx").read_bytes()
    promised = {each["path"]: each["sha256"] for each in winner["files"]}["small.onnx"]
    assert hashlib.sha256(installed).hexdigest() == promised
    assert shelf("publish", str(folders[0])).code == 1, "a version is never used again"


def test_two_installs_at_once_in_one_project(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    packages = [f"{publisher}/one", f"{publisher}/two"]
    for name in packages:
        assert shelf("publish", str(write_package(tmp_path / name, name=name))).code == 0
    done = together([["install", name] for name in packages], [project] * 2, user_env)
    assert [each.code for each in done] == [0, 0], done
    listed = json.loads(shelf("list", "--json").out)
    assert [each["name"] for each in listed["packages"]] == packages
    assert_whole(project)


def test_two_projects_fetch_the_same_bytes_at_once(
    shelf: Shelf, publisher: str, tmp_path: Path, user_env: dict[str, str], proxy: Proxy
) -> None:
    """They share a store: the second waits for what the first is fetching."""
    name = f"{publisher}/weights"
    assert shelf("publish", str(write_weights(tmp_path / "package", name))).code == 0
    env = user_env | {"MODELSHELF_REGISTRY": proxy.url}
    projects = [tmp_path / "first", tmp_path / "second"]
    proxy.stall_down = 2_000_000
    clients = []
    for each in projects:
        each.mkdir()
        (each / "shelf.toml").touch()
        command = [
            sys.executable,
            "-m",
            "modelshelf.cli",
            "install",
            name,
            "--format",
            "safetensors",
        ]
        clients.append(subprocess.Popen(command, cwd=each, env=env))
        assert proxy.stalled.wait(30)
        proxy.stall_down = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert clients[1].wait(1.5) == 0, "it gave up"
    proxy.drop()
    assert [each.wait(60) for each in clients] == [0, 0]
    for each in projects:
        assert (each / "shelf.lock").exists()
        assert_whole(each)
    assert_store_whole(Path(user_env["MODELSHELF_HOME"]))
    assert proxy.down < (4 << 20) * 1.5, "fetched once"


@pytest.fixture
def stranger(project: Path, tmp_path: Path, user_env: dict[str, str], publisher: str) -> Shelf:
    """Another user, with an account of their own."""
    env = user_env | {"MODELSHELF_HOME": str(tmp_path / "strange")}

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_here(*arguments, cwd=cwd or project, env=env, stdin=stdin)

    login = ("login", f"{publisher}-x", "--create", "--password-stdin")
    assert run(*login, stdin=PASSWORD).code == 0
    return run


def test_the_token_of_another_publisher(
    shelf: Shelf, stranger: Shelf, publisher: str, tmp_path: Path
) -> None:
    name = f"{publisher}/scale"
    folder = str(write_package(tmp_path / "one", name=name))
    done = stranger("publish", folder, "--json")
    assert (done.code, json.loads(done.out)["error"]) == (7, "NotAllowed")
    assert shelf("info", name).code == 1
    assert shelf("publish", folder).code == 0
    newer = str(write_package(tmp_path / "two", name=name, version="1.1.0"))
    assert stranger("publish", newer).code == 7
    assert stranger("yank", f"{name}@1.0.0", "--reason", "mine now").code == 7
    assert stranger("deprecate", name, "--reason", "mine now").code == 7
    assert stranger("install", name).code == 0


@pytest.mark.parametrize("secret", ["shelf_" + "0" * 43, "shelf_", "shelf_é"])
def test_a_token_that_nobody_gave(
    secret: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    env = user_env | {"MODELSHELF_TOKEN": secret}
    folder = str(write_package(tmp_path / "one", name="nobody/scale"))
    done = run_here("publish", folder, "--json", cwd=project, env=env)
    assert done.code == 7, done.out + done.err
    assert json.loads(done.out)["error"] == "NotAllowed"


def test_without_a_token_the_hint_tells_how_to_get_one(
    project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    folder = str(write_package(tmp_path / "one", name="nobody/scale"))
    done = run_here("publish", folder, cwd=project, env=user_env)
    assert done.code == 7
    assert "shelf login" in done.err


def test_a_wrong_password(shelf: Shelf, publisher: str) -> None:
    done = shelf("login", publisher, "--password-stdin", stdin="not it\n")
    assert done.code == 7, done.err


@pytest.mark.parametrize("rival", ["{0}/scale-1", "{0}/scale-l"])
def test_a_name_that_looks_like_another(
    rival: str, shelf: Shelf, publisher: str, tmp_path: Path
) -> None:
    taken = "scale-l" if rival.endswith("1") else "scale-1"
    one = write_package(tmp_path / "one", name=f"{publisher}/{taken}")
    two = write_package(tmp_path / "two", name=rival.format(publisher))
    assert shelf("publish", str(one)).code == 0
    done = shelf("publish", str(two), "--json")
    assert (done.code, json.loads(done.out)["error"]) == (1, "Conflict")
