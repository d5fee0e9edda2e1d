"""What an upgrade of a large model is said to fetch, and what the server's log says it did."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from modelshelf.store.digest import sha256_of
from modelshelf.store.recipe import loads
from tests.client.test_outdated import rows, settled
from tests.conftest import Shelf
from tests.publishing import succeeded
from tests.trouble.weights import assert_whole, write_model

WEIGHTS = ("--format", "safetensors")


def wait_for_parent(url: str, weights: Path) -> None:
    """Wait until the registry has found what the new weights are made from."""
    until = time.monotonic() + 30
    while True:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", f"/recipes/{sha256_of(weights)}")
        body = connection.getresponse().read()
        connection.close()
        if loads(body, weights.stat().st_size).parents:
            return
        assert time.monotonic() < until
        time.sleep(0.1)


def test_what_is_told_is_what_the_server_counts(
    shelf: Shelf, publisher: str, registry_url: str, registry_data: Path, project: Path
) -> None:
    name = f"{publisher}/scale"
    first = write_model(project.parent / "first", name)
    second = write_model(project.parent / "second", name, version="1.1.0", tuned=1)
    succeeded(shelf("publish", str(first)))
    succeeded(shelf("install", name, *WEIGHTS))
    succeeded(shelf("publish", str(second)))
    wait_for_parent(registry_url, second / "small.safetensors")
    told = rows(shelf)
    before = settled(registry_data, publisher)
    dry = json.loads(shelf("upgrade", "--dry-run", "--json").out)
    text = succeeded(shelf("upgrade")).out
    fetched = settled(registry_data, publisher) - before
    size = (second / "small.safetensors").stat().st_size
    assert dry["bytes_to_fetch"] == fetched
    assert [each["bytes_to_fetch"] for each in told] == [fetched]
    assert 0 < fetched < size / 2
    assert dry["steps"][0]["bytes_to_fetch"] == dry["changes"][0]["bytes_to_fetch"] == fetched
    assert f"{fetched / 1024:.1f} KiB of {size / (1 << 20):.1f} MiB." in text
    assert_whole(project)


def test_what_former_generations_need_is_packed_and_comes_back(
    shelf: Shelf, publisher: str, registry_data: Path, project: Path
) -> None:
    name = f"{publisher}/scale"
    for number, version in enumerate(("1.0.0", "1.1.0")):
        folder = write_model(project.parent / version, name, version=version, tuned=number)
        succeeded(shelf("publish", str(folder)))
        succeeded(shelf("install", f"{name}@={version}", *WEIGHTS))
    old = project.parent / "1.0.0" / "small.safetensors"
    stored = project.parent / "home" / "store" / "files"
    assert list(stored.glob(f"??/{sha256_of(old)}"))
    would = json.loads(shelf("gc", "--pack", "--dry-run", "--json").out)["packed"]
    packed = json.loads(shelf("gc", "--pack", "--json").out)["packed"]
    assert (packed["files"], packed["raw"]) == (would["files"], would["raw"])
    assert packed["stored"] < 0.9 * packed["raw"]
    assert not list(stored.glob(f"??/{sha256_of(old)}"))
    assert json.loads(shelf("gc", "--pack", "--json").out)["packed"]["files"] == 0
    assert json.loads(shelf("du", "--json").out)["packed_bytes"] == packed["stored"]
    assert shelf("verify", "--store").code == 0

    before = settled(registry_data, publisher)
    back = json.loads(succeeded(shelf("rollback", "--json")).out)
    assert back["bytes_fetched"] == settled(registry_data, publisher) - before == 0
    assert_whole(project)
    assert sha256_of(next(stored.glob(f"??/{sha256_of(old)}"))) == sha256_of(old)
    assert json.loads(shelf("gc", "--json").out)["freed_bytes"] > 0
    assert not list((project.parent / "home" / "store" / "segments").glob("??/*"))
