"""Loading a model tells of newer releases: quietly, once a day, never in the way."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelshelf import load
from modelshelf.client import alerts
from tests.conftest import Shelf
from tests.publishing import Publish, succeeded

Load = Callable[[], list[str]]
DAY = 24 * 3600


@pytest.fixture
def name(shelf: Shelf, release: Publish) -> str:
    """An installed package."""
    found = release("scale", "1.0.0")
    succeeded(shelf("install", found))
    return found


@pytest.fixture
def told(
    name: str,
    project: Path,
    user_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Load:
    """Load the package as the user; gives what was logged of releases."""
    for variable in [each for each in os.environ if each.startswith("MODELSHELF_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("MODELSHELF_HOME", user_env["MODELSHELF_HOME"])
    monkeypatch.setenv("MODELSHELF_REGISTRY", user_env["MODELSHELF_REGISTRY"])

    def run() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "modelshelf"):
            model = load(name, shelf=project)
        assert model(x=np.ones((1, 2), np.float32))["y"].tolist() == [[2.0, 2.0]]
        return [each.getMessage() for each in caplog.records if each.name.startswith("modelshelf")]

    return run


def age(folder: Path) -> None:
    """Let a day pass for all files below a folder."""
    for path in folder.rglob("*"):
        moment = path.stat().st_mtime - DAY - 60
        os.utime(path, (moment, moment))


def home(user_env: dict[str, str]) -> Path:
    return Path(user_env["MODELSHELF_HOME"])


def test_a_newer_release_is_told_once_a_day(
    told: Load, name: str, shelf: Shelf, release: Publish, user_env: dict[str, str]
) -> None:
    assert told() == []
    release("scale", "1.1.0", factor=3.0)
    shelf("outdated")
    (line,) = told()
    assert f"{name} 1.0.0" in line
    assert "1.1.0" in line
    assert told() == []
    age(home(user_env) / "alerts")
    assert len(told()) == 1


def test_the_index_is_asked_for_in_the_background(
    told: Load, name: str, release: Publish, user_env: dict[str, str]
) -> None:
    assert told() == []
    release("scale", "1.1.0", factor=3.0)
    assert told() == [], "the index is of today"
    age(home(user_env) / "index")
    age(home(user_env) / "alerts")
    assert told() == []
    deadline = time.monotonic() + 20
    while not (found := told()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "1.1.0" in found[0]


@pytest.mark.parametrize("way", ["variable", "settings", "offline"])
def test_it_can_be_turned_off(
    way: str,
    told: Load,
    shelf: Shelf,
    release: Publish,
    user_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release("scale", "1.1.0", factor=3.0)
    shelf("outdated")
    if way == "settings":
        path = home(user_env) / "settings.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "alerts": False}))
    else:
        monkeypatch.setenv(
            *{"variable": ("MODELSHELF_ALERTS", "0"), "offline": ("MODELSHELF_OFFLINE", "1")}[way]
        )
    assert told() == []


def test_warnings_are_told(told: Load, name: str, shelf: Shelf) -> None:
    succeeded(shelf("yank", f"{name}@1.0.0", "--reason", "wrong weights"))
    shelf("outdated")
    (line,) = told()
    assert "yanked: wrong weights" in line


def test_a_release_newer_than_the_index_is_no_deleted_one(
    told: Load, name: str, shelf: Shelf, release: Publish, user_env: dict[str, str]
) -> None:
    """A colleague upgraded: lock and store are new, the index kept here is not."""
    index = next((home(user_env) / "index").rglob("*.jsonl"))
    before = index.read_bytes()
    release("scale", "1.1.0", factor=2.0)
    succeeded(shelf("upgrade"))
    index.write_bytes(before)
    assert told() == []


def test_a_registry_that_hangs_holds_nobody_up(
    told: Load, name: str, project: Path, user_env: dict[str, str], registry_url: str
) -> None:
    lock = project / "shelf.lock"
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = f"http://127.0.0.1:{server.getsockname()[1]}"
        lock.write_text(lock.read_text().replace(registry_url, silent), encoding="utf-8")
        start = time.monotonic()
        assert told() == []
        assert time.monotonic() - start < 5
    assert alerts.interval_seconds == DAY


@pytest.mark.parametrize("what", ["index", "alerts"])
def test_a_home_that_is_damaged_harms_nobody(
    what: str, told: Load, shelf: Shelf, release: Publish, user_env: dict[str, str]
) -> None:
    release("scale", "1.1.0", factor=3.0)
    shelf("outdated")
    if what == "index":
        for path in (home(user_env) / "index").rglob("*.jsonl"):
            path.write_bytes(b'"tag"\n\xff{not json\n')
    else:
        (home(user_env) / "alerts").write_text("a file", encoding="utf-8")
    assert told() == []


def test_an_address_that_only_the_project_names_is_not_asked(
    told: Load,
    release: Publish,
    shelf: Shelf,
    user_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release("scale", "1.1.0", factor=3.0)
    shelf("outdated")
    age(home(user_env) / "index")
    settings = home(user_env) / "settings.json"
    settings.write_text("{}", encoding="utf-8")
    monkeypatch.setenv("MODELSHELF_REGISTRY", "http://127.0.0.1:9")
    assert told() == []
    assert not list(home(user_env).glob("alerts/*.asked"))
