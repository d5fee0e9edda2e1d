"""Without the network: what is here is enough, and what is not is told within seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

most_seconds = 20


@pytest.fixture
def name(shelf: Shelf, release: Publish) -> str:
    """An installed package that needs another."""
    release("base", "1.0.0", factor=3.0)
    found = release("offline-scale", "1.0.0", needs={"base": "^1.0"})
    succeeded(shelf("install", found))
    return found


@pytest.fixture(params=["--offline", "variable"])
def offline(request: pytest.FixtureRequest, user_env: dict[str, str], name: str) -> tuple[str, ...]:
    """No network, by option and by environment, after `name` was installed."""
    assert name
    if request.param == "variable":
        user_env["MODELSHELF_OFFLINE"] = "1"
        return ()
    return ("--offline",)


EVERYTHING_THERE = [
    ("sync",), ("sync", "--locked"), ("sync", "--frozen"), ("install",), ("lock",),
    ("lock", "--check"), ("remove", "NAME"),
]  # fmt: skip


@pytest.mark.parametrize("command", EVERYTHING_THERE, ids=" ".join)
def test_what_needs_nothing_new_works(
    command: tuple[str, ...],
    offline: tuple[str, ...],
    name: str,
    shelf: Shelf,
    user_env: dict[str, str],
) -> None:
    user_env["MODELSHELF_REGISTRY"] = "http://127.0.0.1:9"
    typed = [each.replace("NAME", name) for each in command]
    succeeded(shelf(*typed, *offline))


@pytest.mark.parametrize(
    "command", [("upgrade",), ("outdated",), ("lock", "--upgrade")], ids=" ".join
)
def test_what_is_known_of_the_index_is_enough(
    command: tuple[str, ...], name: str, shelf: Shelf, user_env: dict[str, str]
) -> None:
    succeeded(shelf(*command, "--offline"))
    user_env["MODELSHELF_OFFLINE"] = "1"
    succeeded(shelf(*command))


def test_files_that_are_gone_come_from_the_store(
    name: str, shelf: Shelf, project: Path, offline: tuple[str, ...]
) -> None:
    import shutil

    before = {path: path.read_bytes() for path in project.glob(".shelf/*/*/*/*")}
    shutil.rmtree(project / ".shelf")
    succeeded(shelf("sync", *offline))
    assert {path: path.read_bytes() for path in project.glob(".shelf/*/*/*/*")} == before


@pytest.mark.parametrize("missing", ["index", "store"])
def test_what_is_missing_is_told(
    missing: str,
    name: str,
    shelf: Shelf,
    project: Path,
    user_env: dict[str, str],
    offline: tuple[str, ...],
) -> None:
    import shutil

    home = Path(user_env["MODELSHELF_HOME"])
    before = {path: path.read_bytes() for path in project.glob("shelf.*")}
    if missing == "index":
        shutil.rmtree(home / "index")
        done = shelf("install", name.replace("offline-scale", "base"), *offline)
    else:
        shutil.rmtree(home / "store")
        shutil.rmtree(project / ".shelf")
        done = shelf("sync", *offline)
    assert done.code == 6, done.err
    assert "network" in done.err
    assert {path: path.read_bytes() for path in project.glob("shelf.*")} == before


@pytest.mark.parametrize(
    "command",
    [("install", "NAME"), ("sync",), ("upgrade",), ("outdated",), ("lock", "--upgrade")],
    ids=" ".join,
)
def test_a_registry_that_is_down(
    command: tuple[str, ...], shelf: Shelf, project: Path, user_env: dict[str, str], name: str
) -> None:
    text = (project / "shelf.lock").read_text()
    user_env["MODELSHELF_REGISTRY"] = "http://127.0.0.1:9"
    (project / "shelf.lock").write_text(
        text.replace(text.split('registry = "')[1].split('"')[0], "http://127.0.0.1:9")
    )
    if command == ("sync",):
        (project / "shelf.lock").unlink()
    before = {path: path.read_bytes() for path in project.glob("shelf.*")}
    start = time.monotonic()
    done = shelf(*[each.replace("NAME", name + "s") for each in command])
    assert done.code == 6, done.err
    assert "cannot be reached" in done.err
    assert time.monotonic() - start < most_seconds
    assert {path: path.read_bytes() for path in project.glob("shelf.*")} == before


@pytest.fixture
def silent() -> Iterator[str]:
    """A registry that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_strict_commands_ask_nobody(
    name: str, silent: str, shelf: Shelf, user_env: dict[str, str]
) -> None:
    user_env["MODELSHELF_REGISTRY"] = silent
    start = time.monotonic()
    for command in (
        ("sync",),
        ("sync", "--locked"),
        ("sync", "--frozen"),
        ("lock", "--check"),
        ("tree",),
        ("why", name),
    ):
        succeeded(shelf(*command))
    assert time.monotonic() - start < most_seconds
    assert versions(shelf) == {"base": "1.0.0", "offline-scale": "1.0.0"}


def test_names_that_are_not_there(shelf: Shelf, release: Publish) -> None:
    name = release("wideangle", "1.0.0")
    done = shelf("install", name + "s")
    assert done.code == 1
    assert f"`{name}`" in done.err
    done = shelf("install", name, "--variant", "larg")
    assert done.code == 1
    assert "`large`" in done.err
    succeeded(shelf("install", name))
    for command in ("remove", "upgrade"):
        done = shelf(command, name + "s")
        assert done.code == 1
        assert f"`{name}`" in done.err
