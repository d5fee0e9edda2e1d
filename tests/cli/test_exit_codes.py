"""Exit codes are a contract, and `--json` prints one object whatever happens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.cli.dispatch import names
from tests.conftest import Shelf, run_here, write_package


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("info", "nobody/nothing"), 1, "NotFound"),
        (("install", "nobody/nothing"), 1, "NotFound"),
        (("info", "No Name"), 1, "Invalid"),
        (("remove", "nobody/nothing"), 1, "NotFound"),
        (("upgrade", "nobody/nothing"), 1, "NotFound"),
        (("load-example", "nobody/nothing"), 1, "NotFound"),
        (("publish", "no-such-folder"), 1, "Invalid"),
        (("install", "nobody/nothing@"), 2, "UsageError"),
        (("install", "nobody/nothing@>>1"), 1, "Invalid"),
        (("yank", "nobody/nothing"), 2, "UsageError"),
        (("login",), 2, "UsageError"),
        (("login", "--token-stdin"), 2, "UsageError"),
        (("yank", "nobody/nothing@1.0.0", "--reason", "x"), 7, "NotAllowed"),
        (("deprecate", "nobody/nothing"), 7, "NotAllowed"),
        (("publisher", "create", "No Name"), 2, "UsageError"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_errors_are_one_object(
    arguments: tuple[str, ...], code: int, error: str, shelf: Shelf
) -> None:
    done = shelf(*arguments, "--json")
    assert done.err == ""
    assert done.out.count("\n") == 1
    assert (done.code, json.loads(done.out)["error"]) == (code, error), done.out


def test_errors_for_people_go_to_stderr(shelf: Shelf) -> None:
    done = shelf("install", "nobody/nothing")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: there is no package nobody/nothing\n")
    assert "hint: " in done.err


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("install", "--nonsense")])
def test_mistakes_on_the_command_line(arguments: tuple[str, ...], shelf: Shelf) -> None:
    done = shelf(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", names())
def test_every_command_helps(command: str, shelf: Shelf) -> None:
    done = shelf(command, "--help")
    assert done.code == 0
    assert done.out.startswith(f"usage: shelf {command}")
    assert "--json" in done.out


def test_lock_by_hand(project: Path, shelf: Shelf) -> None:
    (project / "shelf.lock").write_text("this is no lock", encoding="utf-8")
    done = shelf("list", "--json")
    assert (done.code, json.loads(done.out)["error"]) == (1, "Invalid")
    assert "shelf.lock" in json.loads(done.out)["where"]


@pytest.mark.parametrize(
    "text", ['[dependencies]\n"a/b" = "nonsense"\n', "[dependencies\n", "x = 1"]
)
def test_shelf_toml_by_hand(text: str, project: Path, shelf: Shelf) -> None:
    (project / "shelf.toml").write_text(text, encoding="utf-8")
    done = shelf("install", "--json")
    assert done.code == 1, done.out
    told = json.loads(done.out)
    assert told["error"] == "Invalid"
    assert told["problems"][0]["line"] in (1, 2)


def test_a_locked_package_is_not_taken_from_elsewhere(
    shelf: Shelf, publisher: str, tmp_path: Path, project: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/scale"
    assert shelf("publish", str(write_package(tmp_path / "package", name=name))).code == 0
    assert shelf("install", name).code == 0
    assert shelf("upgrade", "--registry", "http://127.0.0.1:9").code == 0, "it stays where it was"
    elsewhere = user_env | {"MODELSHELF_REGISTRY": "http://127.0.0.1:9"}
    done = run_here("upgrade", "--json", cwd=project, env=elsewhere)
    assert (done.code, json.loads(done.out)["error"]) == (8, "Refused")


def test_settings_that_cannot_be_read(
    project: Path, user_env: dict[str, str], shelf: Shelf
) -> None:
    home = Path(user_env["MODELSHELF_HOME"])
    home.mkdir()
    (home / "settings.json").write_text("{", encoding="utf-8")
    done = shelf("search", "--json")
    assert (done.code, json.loads(done.out)["error"]) == (1, "Invalid")
