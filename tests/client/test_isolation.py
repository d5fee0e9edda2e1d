"""Packages that want contradicting versions of a third: told, and kept apart where asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelshelf import load
from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

PIPED = '{ version = "%s", kind = "pipeline" }'


@pytest.fixture
def pair(release: Publish) -> tuple[str, str]:
    """Two packages that run a third after themselves, in versions that exclude each other."""
    release("third", "1.0.0", factor=10.0)
    release("third", "2.0.0", factor=100.0)
    one = release("one", "1.0.0", needs={"third": PIPED % "^1.0"})
    two = release("two", "1.0.0", needs={"third": PIPED % "^2.0"}, factor=3.0)
    return one, two


def lines(shelf: Shelf) -> dict[str, str]:
    listed = json.loads(succeeded(shelf("list", "--json")).out)["packages"]
    return {
        f"{e['name'].split('/')[1]} for {(e['isolated'] or '-').split('/')[-1]}": e["version"]
        for e in listed
    }


def test_what_contradicts_is_told_by_name(
    pair: tuple[str, str], shelf: Shelf, project: Path
) -> None:
    done = shelf("install", *pair)
    assert done.code == 3
    for name in pair:
        assert name in done.err
    assert "isolate" in done.err
    assert not (project / "shelf.lock").exists()


def test_isolated_each_has_its_own(
    pair: tuple[str, str],
    shelf: Shelf,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    user_env: dict[str, str],
) -> None:
    one, two = pair
    succeeded(shelf("install", one))
    succeeded(shelf("install", two, "--isolated"))
    succeeded(shelf("lock", "--check"))
    succeeded(shelf("sync", "--locked"))
    assert lines(shelf) == {
        "one for -": "1.0.0", "third for -": "1.0.0", "two for two": "1.0.0", "third for two": "2.0.0",
    }  # fmt: skip
    monkeypatch.setenv("MODELSHELF_HOME", user_env["MODELSHELF_HOME"])
    monkeypatch.setenv("MODELSHELF_ALERTS", "0")
    x = np.ones((1, 2), np.float32)
    assert load(one, shelf=project)(x=x)["y"].tolist() == [[20.0, 20.0]]
    assert load(two, shelf=project)(x=x)["y"].tolist() == [[300.0, 300.0]]


def test_both_isolated(pair: tuple[str, str], shelf: Shelf, project: Path) -> None:
    succeeded(shelf("install", *pair, "--isolated"))
    third = pair[0].replace("one", "third")
    assert lines(shelf) == {
        "one for one": "1.0.0", "third for one": "1.0.0",
        "two for two": "1.0.0", "third for two": "2.0.0",
    }  # fmt: skip
    done = succeeded(shelf("why", third))
    for name in pair:
        assert name in done.out
    assert "1.0.0" in done.out
    assert "2.0.0" in done.out
    done = succeeded(shelf("tree", third, "--invert"))
    for name in pair:
        assert name in done.out
    done = succeeded(shelf("tree"))
    assert "third 1.0.0" in done.out
    assert "third 2.0.0" in done.out
    assert "isolated" in done.out
    rows = json.loads(shelf("outdated", "--json").out)
    assert [(each["name"], each["wanted"], each["latest"]) for each in rows] == [
        (third, "1.0.0", "2.0.0")
    ]


def test_removing_takes_what_was_apart_away(
    pair: tuple[str, str], shelf: Shelf, project: Path
) -> None:
    one, two = pair
    succeeded(shelf("install", one))
    succeeded(shelf("install", two, "--isolated"))
    succeeded(shelf("remove", two))
    assert lines(shelf) == {"one for -": "1.0.0", "third for -": "1.0.0"}
    assert {path.name for path in project.glob(".shelf/*/third/*")} == {"1.0.0"}
    succeeded(shelf("rollback"))
    assert {path.name for path in project.glob(".shelf/*/third/*")} == {"1.0.0", "2.0.0"}


def test_an_upgrade_reaches_what_is_apart(
    pair: tuple[str, str], shelf: Shelf, release: Publish
) -> None:
    one, two = pair
    succeeded(shelf("install", one))
    succeeded(shelf("install", two, "--isolated"))
    release("third", "2.1.0", factor=100.0)
    rows = json.loads(shelf("outdated", "--json").out)
    assert {(e["current"], e["wanted"], e["latest"]) for e in rows} == {
        ("1.0.0", "1.0.0", "2.1.0"),
        ("2.0.0", "2.1.0", "2.1.0"),
    }
    succeeded(shelf("upgrade", one.replace("one", "third")))
    assert lines(shelf)["third for two"] == "2.1.0"
    assert lines(shelf)["third for -"] == "1.0.0"


def test_isolation_ends_where_it_is_taken_back(
    pair: tuple[str, str], shelf: Shelf, project: Path
) -> None:
    _, two = pair
    succeeded(shelf("install", two, "--isolated"))
    path = project / "shelf.toml"
    path.write_text(f'[dependencies]\n"{two}" = "^1.0"\n', encoding="utf-8")
    assert shelf("sync", "--locked").code == 4
    succeeded(shelf("sync"))
    assert lines(shelf) == {"two for -": "1.0.0", "third for -": "2.0.0"}
    assert versions(shelf) == {"two": "1.0.0", "third": "2.0.0"}
