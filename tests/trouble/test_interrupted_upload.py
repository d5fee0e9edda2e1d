"""Uploads that are killed, cut and restarted: one release, the right bytes, hardly any sent twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from modelshelf.client.http import Connection
from tests.client.weights import MIB, Values, values, write
from tests.conftest import PASSWORD, Finished, run_here
from tests.trouble.conftest import ServerProcess, small_disk, token
from tests.trouble.proxy import Fault, Proxy
from tests.trouble.weights import wait_for_bytes

Run = Callable[..., Finished]
HEADS_BYTES = 12 << 10
"""Heads of requests, recipes and documents that every run sends anew."""

LOST_BYTES = 4 * (96 << 10)
"""What one kill may lose: on each of four connections what the registry's protocol holds of a body
(64 KiB, which it drops when the client is gone) and what lies in sockets, however small the model."""


def large(seed: int, mebibytes: int = 4) -> dict[str, Values]:
    """Tensors that go one by one."""
    return {f"layer.{number}": values(seed + number, MIB) for number in range(mebibytes)}


def small(seed: int, mebibytes: int = 4) -> dict[str, Values]:
    """Tensors that go in bundles."""
    parts = np.array_split(values(seed, mebibytes * MIB), 50 * mebibytes)
    return {f"lora.{number}": each for number, each in enumerate(parts)}


def assert_published(registry_url: str, name: str, folder: Path) -> None:
    """There is one release, of exactly the files in `folder`."""
    http = Connection(registry_url)
    entries = http.get(f"/index/{name}.jsonl").body.splitlines()
    assert len(entries) == 1
    listed = {file["path"]: file["sha256"] for file in json.loads(entries[0])["files"]}
    assert listed == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    for sha256 in listed.values():
        assert hashlib.sha256(http.get(f"/files/{sha256}").body).hexdigest() == sha256


@pytest.mark.parametrize("make", [large, small])
def test_a_client_killed_again_and_again_sends_hardly_anything_twice(
    make: Callable[[int, int], dict[str, Values]],
    wired: Run,
    proxy: Proxy,
    publisher: str,
    project: Path,
    tmp_path: Path,
    user_env: dict[str, str],
    registry_url: str,
) -> None:
    undisturbed = write(tmp_path / "undisturbed", f"{publisher}/undisturbed", make(10, 16))
    assert wired("publish", str(undisturbed)).code == 0
    proxy.settle()
    expected, begun = proxy.up, proxy.up
    folder = write(tmp_path / "killed", f"{publisher}/killed", make(50, 16))
    env = user_env | {"MODELSHELF_REGISTRY": proxy.url, "MODELSHELF_TOKEN": token(user_env)}
    command = [sys.executable, "-m", "modelshelf.cli", "publish", str(folder)]
    for share in (0.002, 0.2, 0.45, 0.7, 0.95):
        proxy.stall_up = begun + int(share * expected)
        client = subprocess.Popen(command, cwd=project, env=env)
        assert proxy.stalled.wait(60)
        client.kill()
        client.wait(30)
        proxy.drop()
        proxy.settle()
        assert Connection(registry_url).get("/healthz").status == 200
        assert wired("info", f"{publisher}/killed").code == 1
    done = wired("publish", str(folder))
    assert done.code == 0, done.err
    proxy.settle()
    assert proxy.up - begun < 1.02 * expected + 6 * HEADS_BYTES + 5 * LOST_BYTES
    assert_published(registry_url, f"{publisher}/killed", folder)


@pytest.mark.parametrize("make", [large, small])
def test_a_wire_that_is_cut_all_the_time(
    make: Callable[[int], dict[str, Values]],
    wired: Run,
    proxy: Proxy,
    publisher: str,
    tmp_path: Path,
    registry_url: str,
) -> None:
    """One run is enough, however little each connection brings."""
    folder = write(tmp_path / "cut", f"{publisher}/cut", make(30))
    proxy.cut_after = 200_000
    done = wired("publish", str(folder), "--json")
    assert done.code == 0, done.out
    proxy.settle()
    assert proxy.connections > 10
    told = json.loads(done.out)
    assert proxy.up < 1.1 * 0.87 * told["bytes"]
    assert_published(registry_url, f"{publisher}/cut", folder)


def test_answers_that_never_come_are_not_waited_for(
    wired: Run, proxy: Proxy, publisher: str, tmp_path: Path, registry_url: str
) -> None:
    """What was taken in is known, though nobody was told."""
    folder = write(tmp_path / "lost", f"{publisher}/lost", large(40))
    lost = iter([True] * 5)

    def faults(exchange: object, way: str, _length: int) -> Fault | None:
        path = str(getattr(exchange, "path", ""))
        return Fault("cut", 0) if way == "down" and "/segments/" in path and next(lost, 0) else None

    proxy.faults = faults
    done = wired("publish", str(folder), "--json")
    assert done.code == 0, done.out
    proxy.settle()
    assert proxy.up < 1.02 * 0.87 * json.loads(done.out)["bytes"] + 2 * HEADS_BYTES
    assert_published(registry_url, f"{publisher}/lost", folder)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A registry that can be killed and started again."""
    server = ServerProcess(tmp_path / "server" / "data")
    server.data.parent.mkdir()
    server.start()
    yield server
    server.stop()


def test_a_server_killed_and_started_again_in_the_middle(
    server: ServerProcess, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    """The client waits a while; where that is too short, the next run goes on."""
    wire = Proxy(server.url)
    env = user_env | {"MODELSHELF_REGISTRY": wire.url}
    login = ("login", "ann", "--create", "--password-stdin")
    assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
    folder = write(tmp_path / "sent", "ann/sent", large(50))
    size = sum(path.stat().st_size for path in folder.iterdir())
    wire.stall_up = wire.up + size // 2
    command = [sys.executable, "-m", "modelshelf.cli", "publish", str(folder)]
    client = subprocess.Popen(command, cwd=project, env=env)
    try:
        assert wire.stalled.wait(60)
        wait_for_bytes(server.data / "store" / "partial", size // 2 - (1 << 20))
        server.kill()
        wire.drop()
        server.start()
        if client.wait(60):
            assert run_here("publish", str(folder), cwd=project, env=env).code == 0
        wire.settle()
        # each connection may lose what the registry had not written yet
        assert wire.up < 0.87 * size + (1 << 20)
        assert_published(server.url, "ann/sent", folder)
    finally:
        wire.close()


def test_a_registry_whose_disk_is_full_keeps_what_it_has(
    project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    """Once there is room again, the same command goes on."""
    data = tmp_path / "disk"
    folder = write(tmp_path / "sent", "ann/sent", large(60))
    with small_disk(data, 3 << 20) as limit_bytes:
        server = ServerProcess(data, limit_bytes)
        env = user_env | {"MODELSHELF_REGISTRY": server.start()}
        try:
            login = ("login", "ann", "--create", "--password-stdin")
            assert run_here(*login, cwd=project, env=env, stdin=PASSWORD).code == 0
            done = run_here("publish", str(folder), "--json", cwd=project, env=env)
            assert done.code == 1, done.out
            assert "disk is full" in json.loads(done.out)["message"]
            done = run_here("info", "ann/sent", cwd=project, env=env)
            assert "there is no package" in done.err
        finally:
            server.stop()
