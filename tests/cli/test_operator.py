"""What an operator types while a registry runs, and what publishers and users see of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished, Shelf, write_package
from tests.registry.test_held import harmful


def told(done: Finished, code: int = 0) -> Any:
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


@pytest.fixture
def operator(shelf: Shelf, registry_data: Path) -> Callable[..., Finished]:
    def decide(*words: str) -> Finished:
        return shelf("registry", *words, "--data", str(registry_data))

    return decide


@pytest.fixture
def bad(publisher: str, tmp_path: Path) -> Path:
    """A package with a harmful file beside its models."""
    folder = write_package(tmp_path / "package", name=f"{publisher}/bad")
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    text = text.replace('task = "other"', 'task = "other"\ninclude = ["extra.pt"]')
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    (folder / "extra.pt").write_bytes(harmful())
    return folder


def held(shelf: Shelf, folder: Path) -> str:
    """Publish, and give the session that is held."""
    error = told(shelf("publish", str(folder), "--json"), 8)
    assert error["error"] == "Refused"
    return str(error["where"]).removeprefix("session ")


def eventually(shelf: Shelf, name: str) -> None:
    """Wait until the registry has made the package's index anew."""
    until = time.monotonic() + 30
    while shelf("info", name).code:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_from_held_to_let_through(
    shelf: Shelf, operator: Callable[..., Finished], bad: Path, publisher: str
) -> None:
    session = held(shelf, bad)
    assert held(shelf, bad) == session
    listed = told(operator("held", "--json"))["held"]
    assert session in [each["session"] for each in listed]
    assert "posix" in operator("held").out
    assert operator("allow", session, "--reason", "it is a test", "--by", "olga").code == 0
    assert told(shelf("publish", str(bad), "--json"))["scan"]["decision"] == "it is a test"
    eventually(shelf, f"{publisher}/bad")
    assert "let through: it is a test" in shelf("info", f"{publisher}/bad").out
    assert shelf("install", f"{publisher}/bad").code == 0


def test_from_held_to_refused(
    shelf: Shelf, operator: Callable[..., Finished], bad: Path, publisher: str
) -> None:
    session = held(shelf, bad)
    assert operator("refuse", session, "--reason", "it asks for a shell").code == 0
    error = told(shelf("publish", str(bad), "--json"), 8)
    assert "it asks for a shell" in error["message"]
    assert shelf("info", f"{publisher}/bad").code == 1
    assert held(shelf, bad) != session, "the next attempt begins anew"


def test_check_tells_what_will_be_held(shelf: Shelf, bad: Path) -> None:
    value = told(shelf("check", str(bad), "--json"), 1)
    assert {each["rule"] for each in value["problems"]} == {"scan"}
    assert {each["file"] for each in value["problems"]} == {"extra.pt"}


def test_a_package_is_put_aside(
    shelf: Shelf, operator: Callable[..., Finished], publisher: str, tmp_path: Path
) -> None:
    name = f"{publisher}/scale"
    shelf("publish", str(write_package(tmp_path / "package", name=name)))
    assert operator("quarantine", name, "--reason", "reported").code == 0
    until = time.monotonic() + 30
    while shelf("install", name, "--dry-run").code != 3:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert operator("quarantine", name, "--undo").code == 0
    assert operator("quarantine", name, "--undo").code == 1


def test_one_release_is_scanned_again(
    shelf: Shelf, operator: Callable[..., Finished], publisher: str, tmp_path: Path
) -> None:
    name = f"{publisher}/scale"
    shelf("publish", str(write_package(tmp_path / "package", name=name)))
    (one,) = told(operator("rescan", f"{name}@1.0.0", "--json"))["rescanned"]
    assert (one["before"], one["after"]) == ("note", "note")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["allow"], 2),
        (["allow", "0" * 32], 2),
        (["allow", "0" * 32, "--reason", "x"], 1),
        (["refuse", "0" * 32, "--reason", "x"], 1),
        (["rescan", "nobody/nothing@1.0.0"], 1),
        (["quarantine", "nobody/nothing", "--reason", "x"], 1),
        (["decide"], 2),
        (["give"], 2),
        (["give", "acme"], 2),
        (["give", "nobody-there", "--to", "nobody"], 1),
    ],
)
def test_mistakes(
    operator: Callable[..., Finished], registry_url: str, words: list[str], code: int
) -> None:
    assert registry_url
    assert operator(*words).code == code


def test_there_must_be_a_registry(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf("registry", "held", "--data", str(tmp_path / "none")).code == 1
    assert not (tmp_path / "none").exists()
