"""A wire that breaks, stops and lies: what arrives is right, or nothing does."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf
from tests.trouble.proxy import Exchange, Fault, Faults, Proxy, RandomFaults, no_faults
from tests.trouble.weights import (
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


def flipping(way: str, what: str) -> Faults:
    """One bit in each body of such an address."""

    def fault(exchange: Exchange, which: str, length: int) -> Fault | None:
        hit = which == way and re.search(what, exchange.path)
        return Fault("flip", length // 2) if hit else None

    return fault


def test_bytes_changed_on_the_way_are_never_installed(
    package: str, wired: Run, proxy: Proxy, project: Path
) -> None:
    before = (project / "shelf.toml").read_bytes()
    proxy.faults = flipping("down", "^/(segments|files)")
    done = wired("install", package, "--format", "safetensors", "--json")
    assert done.code == 5
    assert json.loads(done.out)["error"] == "IntegrityError"
    assert not (project / "shelf.lock").exists()
    assert (project / "shelf.toml").read_bytes() == before
    assert not list((project / ".shelf").rglob("*.safetensors"))

    proxy.faults = no_faults
    assert wired("install", package, "--format", "safetensors").code == 0
    assert_whole(project)


@pytest.mark.parametrize("what", ["/files/", "/segments", "/recipes/", "/sessions$"])
def test_bytes_changed_in_an_upload_are_refused_and_nothing_is_visible(
    publisher: str, wired: Run, shelf: Shelf, proxy: Proxy, tmp_path: Path, what: str
) -> None:
    name = f"{publisher}/damaged"
    folder = str(write_weights(tmp_path / "package", name, megabytes=1))
    proxy.faults = flipping("up", what)
    done = wired("publish", folder, "--json")
    assert done.code == 5, done.out
    assert shelf("info", name).code == 1
    proxy.faults = no_faults
    assert wired("publish", folder).code == 0
    assert shelf("info", name).code == 0


def test_an_upload_survives_one_bit_that_is_changed(
    publisher: str, wired: Run, shelf: Shelf, proxy: Proxy, tmp_path: Path
) -> None:
    name = f"{publisher}/damaged-once"
    folder = str(write_weights(tmp_path / "package", name, megabytes=1))
    proxy.faults = RandomFaults(1, 1, kinds=("flip",), most=1, paths="/segments/")
    done = wired("publish", folder, "--json")
    assert done.code == 0, done.out
    proxy.settle()
    assert any(each.fault for each in proxy.exchanges)
    assert shelf("info", name).code == 0


def test_an_index_that_is_always_damaged_ends_an_install(
    package: str, wired: Run, proxy: Proxy, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelshelf.client.http.retries", 1)
    proxy.faults = flipping("down", "^/index/")
    done = wired("install", package, "--format", "safetensors")
    assert done.code == 6
    assert "damaged" in done.err
    assert not (project / "shelf.lock").exists()
    proxy.faults = no_faults
    assert wired("install", package, "--format", "safetensors").code == 0
    assert_whole(project)


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
