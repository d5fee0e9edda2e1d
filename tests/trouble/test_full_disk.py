"""A disk without space: a clear error, exit code 1, and nothing half visible."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PASSWORD, Finished, Shelf, run_here
from tests.trouble.conftest import ServerProcess, command_line, small_disk
from tests.trouble.weights import assert_store_whole, assert_whole, write_weights


def run_on(
    *arguments: str, cwd: Path, env: dict[str, str], limit_bytes: int | None = None
) -> Finished:
    """The command line; `limit_bytes` is the longest file that it may write."""
    done = subprocess.run(
        command_line(*arguments, limit_bytes=limit_bytes),
        cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


def test_an_install_on_a_full_disk(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/weights"
    assert shelf("publish", str(write_weights(tmp_path / "package", name))).code == 0
    with small_disk(tmp_path / "small", 2 << 20) as limit_bytes:
        env = user_env | {"MODELSHELF_HOME": str(tmp_path / "small")}
        arguments = ("install", name, "--format", "safetensors", "--json")
        done = run_on(*arguments, cwd=project, env=env, limit_bytes=limit_bytes)
        assert done.code == 1
        assert done.err == ""
        told = json.loads(done.out)
        assert "space" in told["message"]
        assert told["hint"]
        assert not (project / "shelf.lock").exists()
        assert (project / "shelf.toml").read_text() == ""
        assert not list((project / ".shelf").rglob("*.safetensors"))
        assert_store_whole(tmp_path / "small")
    assert shelf("install", name, "--format", "safetensors").code == 0
    assert_whole(project)


@pytest.mark.parametrize("limit_bytes", [0, 100, 1000])
def test_a_shelf_that_cannot_be_written_stays_as_it_was(
    shelf: Shelf,
    publisher: str,
    project: Path,
    tmp_path: Path,
    user_env: dict[str, str],
    limit_bytes: int,
) -> None:
    """The store has the bytes, but the lock does not fit."""
    name = f"{publisher}/weights"
    assert shelf("publish", str(write_weights(tmp_path / "package", name, megabytes=1))).code == 0
    assert shelf("install", name, "--format", "safetensors").code == 0
    assert shelf("remove", name).code == 0
    before = {path: path.read_bytes() for path in project.glob("shelf.*")}
    arguments = ("install", name, "--format", "safetensors")
    done = run_on(*arguments, cwd=project, env=user_env, limit_bytes=limit_bytes)
    assert done.code == 1
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    after = {path: path.read_bytes() for path in project.glob("shelf.*")}
    assert after.keys() == before.keys()
    assert after[project / "shelf.lock"] == before[project / "shelf.lock"]
    assert shelf(*arguments).code == 0
    assert_whole(project)


def test_a_publish_to_a_registry_whose_disk_is_full(
    project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    data = tmp_path / "disk"
    with small_disk(data, 3 << 20) as limit_bytes:
        server = ServerProcess(data, limit_bytes)
        env = user_env | {"MODELSHELF_REGISTRY": server.start()}
        try:
            login = ("login", "ann", "--create", "--password-stdin")
            assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
            folder = str(write_weights(tmp_path / "package", "ann/weights"))
            done = run_here("publish", folder, "--json", cwd=project, env=env)
            assert done.code == 1, done.out
            assert "disk is full" in json.loads(done.out)["message"]
            done = run_here("info", "ann/weights", cwd=project, env=env)
            assert done.code == 1
            assert "there is no package" in done.err
            small = str(write_weights(tmp_path / "small", "ann/small", megabytes=1))
            assert run_here("publish", small, cwd=project, env=env).code in (0, 1)
        finally:
            server.stop()


def test_a_folder_that_may_not_be_written(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path
) -> None:
    """Where `.shelf` should be lies a file: told, not thrown."""
    name = f"{publisher}/weights"
    assert shelf("publish", str(write_weights(tmp_path / "package", name, megabytes=1))).code == 0
    (project / ".shelf").write_text("in the way", encoding="utf-8")
    done = shelf("install", name)
    assert done.code == 1
    assert done.err.startswith("error: ")
    assert os.fspath(project / ".shelf") in done.err
