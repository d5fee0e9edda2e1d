"""A disk that fills up while segments arrive, here or at the registry: told, and gone on with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PASSWORD, Finished, Shelf, run_here
from tests.trouble.aftermath import sent_again
from tests.trouble.conftest import ServerProcess, small_disk
from tests.trouble.proxy import Proxy
from tests.trouble.weights import assert_store_whole, assert_whole, write_model

MIB = 1 << 20
INSTALL = ("--format", "safetensors", "--json")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 3 MiB."""
    with small_disk(tmp_path / "small", 3 * MIB) as limit_bytes:
        if limit_bytes is not None:
            pytest.skip("nothing may be mounted here")
        yield tmp_path / "small"


def enlarge(disk: Path, count: int) -> None:
    """Let the disk have `count` bytes."""
    subprocess.run(["mount", "-o", f"remount,size={count}", str(disk)], check=True)


@pytest.fixture
def name(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """A package of two releases, the second a fine-tune of the first, of 6 MiB each."""
    name = f"{publisher}/model"
    for version, tuned in (("1.0.0", 0), ("1.1.0", 1)):
        folder = write_model(tmp_path / version, name, version=version, tuned=tuned)
        assert shelf("publish", str(folder)).code == 0
    return name


def assert_told_full(done: Finished) -> None:
    told = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    assert "space" in told["message"]
    assert told["hint"]


def test_an_install_goes_on_when_there_is_room(
    small: Path, name: str, project: Path, user_env: dict[str, str]
) -> None:
    env = user_env | {"MODELSHELF_HOME": str(small)}
    for size in (3 * MIB, 5 * MIB):
        enlarge(small, size)
        assert_told_full(run_here("install", name, *INSTALL, cwd=project, env=env))
        assert not (project / "shelf.lock").exists()
        assert_store_whole(small)
    enlarge(small, 8 * MIB)
    done = run_here("install", name, *INSTALL, cwd=project, env=env)
    assert done.code == 0, done.out
    assert_whole(project)
    assert run_here("verify", "--store", cwd=project, env=env).code == 0


def test_an_upgrade_without_room_leaves_the_release_that_is_there(
    small: Path, name: str, project: Path, user_env: dict[str, str]
) -> None:
    env = user_env | {"MODELSHELF_HOME": str(small)}
    enlarge(small, 9 * MIB)
    assert run_here("install", f"{name}@~1.0", *INSTALL, cwd=project, env=env).code == 0
    (project / "shelf.toml").write_text(
        (project / "shelf.toml").read_text().replace("~1.0", "^1.0"), encoding="utf-8"
    )
    lock = (project / "shelf.lock").read_bytes()
    assert_told_full(run_here("upgrade", "--json", cwd=project, env=env))
    assert (project / "shelf.lock").read_bytes() == lock
    assert_whole(project)
    assert run_here("verify", "--store", cwd=project, env=env).code == 0
    enlarge(small, 20 * MIB)
    assert run_here("upgrade", "--json", cwd=project, env=env).code == 0
    assert_whole(project)
    assert (project / ".shelf" / name / "1.1.0" / "small.safetensors").exists()


def test_a_publish_goes_on_when_the_registry_has_room(
    small: Path, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    server = ServerProcess(small)
    proxy = Proxy(server.start())
    env = user_env | {"MODELSHELF_REGISTRY": proxy.url}
    folder = str(write_model(tmp_path / "package", "ann/model"))
    login = ("login", "ann", "--create", "--password-stdin")
    try:
        assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
        codes = []
        for size in (3, 5, 8, 11, 14, 40):
            enlarge(small, size * MIB)
            done = run_here("publish", folder, "--json", cwd=project, env=env)
            codes.append(done.code)
            if done.code == 0:
                break
            assert "disk is full" in json.loads(done.out)["message"], done.out
            assert run_here("info", "ann/model", cwd=project, env=env).code == 1
        assert codes[0] == 1
        assert codes[-1] == 0
        assert run_here("install", "ann/model", *INSTALL, cwd=project, env=env).code == 0
        assert_whole(project)
        proxy.refuse()
        proxy.settle()
        assert sent_again(proxy.exchanges) is None
    finally:
        proxy.close()
        server.stop()
