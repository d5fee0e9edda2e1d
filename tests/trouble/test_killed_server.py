"""A server killed in the middle of an upload: nothing half visible, nothing sent twice for nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PASSWORD, run_here
from tests.trouble.conftest import ServerProcess
from tests.trouble.proxy import Proxy
from tests.trouble.weights import assert_whole, wait_for_bytes, write_weights

BYTES = 4 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A registry that can be killed and started again."""
    server = ServerProcess(tmp_path_factory.mktemp("killed") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def wire(server: ServerProcess) -> Iterator[Proxy]:
    proxy = Proxy(server.url)
    yield proxy
    proxy.close()


@pytest.fixture
def env(wire: Proxy, user_env: dict[str, str]) -> dict[str, str]:
    return user_env | {"MODELSHELF_REGISTRY": wire.url}


def begun(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "modelshelf.cli", *arguments, "--json"]
    return subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL)


def test_an_upload_goes_on_by_itself_when_a_killed_server_is_back(
    server: ServerProcess, wire: Proxy, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    folder = str(write_weights(tmp_path / "package", "ann/weights"))
    login = ("login", "ann", "--create", "--password-stdin")
    assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
    wire.stall_up = wire.up + 3_000_000
    client = begun("publish", folder, cwd=project, env=env)
    assert wire.stalled.wait(30)
    wait_for_bytes(server.data / "store" / "partial", 2 << 20)
    server.kill()
    wire.drop()
    server.start()
    assert client.wait(60) == 0
    assert wire.up < BYTES + (1 << 20)
    install = ("install", "ann/weights", "--format", "safetensors")
    assert run_here(*install, cwd=project, env=env).code == 0
    assert_whole(project)


def test_a_download_goes_on_by_itself_when_a_killed_server_is_back(
    server: ServerProcess, wire: Proxy, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    folder = str(write_weights(tmp_path / "package", "dan/weights"))
    login = ("login", "dan", "--create", "--password-stdin")
    assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
    assert run_here("publish", folder, cwd=project, env=env).code == 0
    before = wire.down
    wire.stall_down = before + 2_000_000
    client = begun("install", "dan/weights", "--format", "safetensors", cwd=project, env=env)
    assert wire.stalled.wait(30)
    server.kill()
    wire.drop()
    server.start()
    assert client.wait(60) == 0
    assert wire.down - before < 1.02 * BYTES
    assert_whole(project)


def test_a_release_outlives_the_server_killed_at_once_after_it(
    server: ServerProcess, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    env = user_env | {"MODELSHELF_REGISTRY": server.url}
    folder = str(write_weights(tmp_path / "package", "bob/weights", megabytes=1))
    for arguments, stdin in (
        (("login", "bob", "--create", "--password-stdin"), PASSWORD),
        (("publish", folder), ""),
    ):
        assert run_here(*arguments, cwd=project, env=env, stdin=stdin).code == 0
    server.kill()
    server.start()
    done = run_here("install", "bob/weights", cwd=project, env=env)
    assert done.code == 0, done.err
    assert_whole(project)


def test_an_answer_that_was_lost_is_asked_for_again(
    server: ServerProcess, wire: Proxy, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    """The release is committed, but the client does not hear of it at first."""
    folder = str(write_weights(tmp_path / "package", "cid/weights", megabytes=1))
    login = ("login", "cid", "--create", "--password-stdin")
    assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
    wire.damage_up = lambda data: stall_answers(wire, data)
    client = begun("publish", folder, cwd=project, env=env)
    assert wire.stalled.wait(30)
    wire.damage_up = bytes
    wire.drop()
    assert client.wait(60) == 0
    done = run_here("publish", folder, cwd=project, env=env)
    assert done.code == 1
    assert "already published" in done.err


def stall_answers(wire: Proxy, data: bytes) -> bytes:
    """From the request that publishes on, no answer reaches the client."""
    if b"/publish HTTP/1.1" in data:
        wire.stall_down = wire.down
    return data
