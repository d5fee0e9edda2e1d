"""A wire that breaks, stops and lies: what arrives is right, or nothing does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf
from tests.trouble.proxy import Fault, Proxy, RandomFaults
from tests.trouble.weights import (
    MARK,
    assert_store_whole,
    assert_whole,
    wait_for_bytes,
    write_weights,
)

Run = Callable[..., Finished]
BYTES = 4 << 20
BLOCK = 1 << 20


@pytest.fixture
def package(tmp_path: Path, shelf: Shelf, publisher: str) -> str:
    """A published package whose safetensors file has 4 MiB."""
    name = f"{publisher}/weights"
    done = shelf("publish", str(write_weights(tmp_path / "package", name)))
    assert done.code == 0, done.err
    return name


def test_an_install_survives_a_wire_that_keeps_breaking(
    package: str, wired: Run, proxy: Proxy, project: Path, user_env: dict[str, str]
) -> None:
    proxy.cut_after = 900_000
    done = wired("install", package, "--format", "safetensors", "--json")
    assert done.code == 0, done.out + done.err
    assert proxy.connections > 4
    assert BYTES < proxy.down < BYTES * 1.2
    assert_whole(project)
    assert_store_whole(Path(user_env["MODELSHELF_HOME"]))


def test_bytes_changed_on_the_way_are_never_installed(
    package: str, wired: Run, proxy: Proxy, project: Path
) -> None:
    before = (project / "shelf.toml").read_bytes()
    proxy.damage_down = lambda data: data.replace(MARK, MARK[:-1] + b"\xab")
    done = wired("install", package, "--format", "safetensors", "--json")
    assert done.code == 5
    assert json.loads(done.out)["error"] == "IntegrityError"
    assert not (project / "shelf.lock").exists()
    assert (project / "shelf.toml").read_bytes() == before
    assert not list((project / ".shelf").rglob("*.safetensors"))

    proxy.damage_down = bytes
    assert wired("install", package, "--format", "safetensors").code == 0
    assert_whole(project)


def test_bytes_changed_in_an_upload_are_refused_and_nothing_is_visible(
    publisher: str, wired: Run, shelf: Shelf, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{publisher}/damaged"
    folder = str(write_weights(tmp_path / "package", name, megabytes=1))
    proxy.faults = lambda exchange, _way, length: (
        Fault("flip", length // 2) if "/segments/" in exchange.path else None
    )
    done = wired("publish", folder, "--json")
    assert done.code == 5, done.out
    assert shelf("info", name).code == 1
    proxy.exchanges.clear()
    proxy.faults = RandomFaults(1, 1, kinds=("flip",), most=1, paths="/segments/")
    done = wired("publish", folder, "--json")
    assert done.code == 0, done.out
    proxy.settle()
    assert any(each.fault for each in proxy.exchanges)
    assert shelf("info", name).code == 0


def test_an_upload_survives_a_wire_that_breaks(
    publisher: str, wired: Run, shelf: Shelf, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{publisher}/broken-wire"
    folder = str(write_weights(tmp_path / "package", name))
    proxy.cut_after = 2 << 20
    codes: list[int] = []
    while not codes or (codes[-1] != 0 and len(codes) < 5):
        done = wired("publish", folder, "--json")
        codes.append(done.code)
        assert done.code in (0, 6), done.out
    assert codes[-1] == 0
    assert proxy.up < BYTES * 3, "what is on the way when the wire breaks is lost"
    assert shelf("info", name).code == 0


@pytest.mark.parametrize("received", [200, 300_000, 2_500_000, 4_150_000])
def test_a_client_killed_in_an_install_goes_on_where_it_was(
    package: str,
    wired: Run,
    proxy: Proxy,
    project: Path,
    user_env: dict[str, str],
    received: int,
) -> None:
    proxy.stall_down = received
    command = [
        sys.executable,
        "-m",
        "modelshelf.cli",
        "install",
        package,
        "--format",
        "safetensors",
    ]
    env = user_env | {"MODELSHELF_REGISTRY": proxy.url}
    client = subprocess.Popen(command, cwd=project, env=env)
    assert proxy.stalled.wait(30)
    home = Path(user_env["MODELSHELF_HOME"])
    wait_for_bytes(home / "store" / "partial", (received - 10_000) // BLOCK * BLOCK)
    client.send_signal(signal.SIGKILL)
    client.wait(30)
    proxy.drop()
    assert not (project / "shelf.lock").exists()
    assert_store_whole(home)

    done = wired("install", package, "--format", "safetensors")
    assert done.code == 0, done.err
    assert_whole(project)
    assert proxy.down < BYTES + BLOCK + 100_000  # a block that was not whole is asked for again
    assert wired("list", "--json").code == 0
