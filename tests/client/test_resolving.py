"""What a shelf ends up with: yanked and deprecated releases, dependencies, conflicts in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf, write_package

Release = Callable[..., str]


@pytest.fixture
def release(shelf: Shelf, publisher: str, tmp_path: Path) -> Release:
    """Publish a version of a package of this test's publisher; gives the package's name."""

    def publish(name: str, version: str, **needs: str) -> str:
        whole = f"{publisher}/{name}"
        wanted = {f"{publisher}/{n}": v for n, v in needs.items()}
        folder = tmp_path / name / version
        write_package(folder, name=whole, version=version, dependencies=wanted)
        done = shelf("publish", str(folder))
        assert done.code == 0, done.err
        return whole

    return publish


def versions(shelf: Shelf) -> dict[str, str]:
    listed = json.loads(shelf("list", "--json").out)["packages"]
    return {each["name"].split("/")[1]: each["version"] for each in listed}


def succeeded(done: Finished) -> None:
    assert done.code == 0, done.err


def test_a_yanked_release_is_kept_where_it_is_locked_and_chosen_nowhere_else(
    shelf: Shelf, release: Release, tmp_path: Path
) -> None:
    release("scale", "1.0.0")
    name = release("scale", "1.1.0")
    succeeded(shelf("install", name))
    succeeded(shelf("yank", f"{name}@1.1.0", "--reason", "wrong weights"))
    succeeded(shelf("install"))
    assert versions(shelf) == {"scale": "1.1.0"}
    rows = json.loads(shelf("outdated", "--json").out)
    assert rows[0]["advisory"] == "yanked: wrong weights"

    other = tmp_path / "other"
    other.mkdir()
    (other / "shelf.toml").touch()
    succeeded(shelf("install", name, cwd=other))
    listed = json.loads(shelf("list", "--json", cwd=other).out)["packages"]
    assert [each["version"] for each in listed] == ["1.0.0"]

    succeeded(shelf("yank", f"{name}@1.1.0", "--undo"))
    succeeded(shelf("upgrade", name, cwd=other))
    assert shelf("outdated").code == 0


def test_a_deprecated_package_names_its_successor(shelf: Shelf, release: Release) -> None:
    name, successor = release("scale", "1.0.0"), release("better", "1.0.0")
    succeeded(shelf("install", name))
    succeeded(shelf("deprecate", name, "--successor", successor, "--reason", "old"))
    done = shelf("outdated", "--json")
    assert done.code == 1
    assert json.loads(done.out)[0]["advisory"] == f"deprecated, use {successor}"
    succeeded(shelf("deprecate", name, "--undo"))
    assert shelf("outdated").code == 0


def test_dependencies_come_and_go_with_what_needs_them(shelf: Shelf, release: Release) -> None:
    release("base", "1.0.0")
    release("base", "1.1.0")
    release("base", "2.0.0")
    release("middle", "1.0.0", base="^1.0")
    top = release("top", "1.0.0", middle="^1.0")
    succeeded(shelf("install", top))
    assert versions(shelf) == {"base": "1.1.0", "middle": "1.0.0", "top": "1.0.0"}
    succeeded(shelf("remove", top))
    assert versions(shelf) == {}


def test_the_newest_is_given_up_where_it_does_not_fit(shelf: Shelf, release: Release) -> None:
    release("base", "1.0.0")
    release("base", "2.0.0")
    release("one", "1.0.0", base="^1.0")
    release("one", "1.1.0", base="^2.0")
    one, two = release("one", "1.2.0", base="^2.0"), release("two", "1.0.0", base="^1.0")
    succeeded(shelf("install", one + "@^1", two))
    assert versions(shelf) == {"base": "1.0.0", "one": "1.0.0", "two": "1.0.0"}


def test_what_cannot_be_satisfied_is_explained_and_changes_nothing(
    shelf: Shelf, release: Release, project: Path
) -> None:
    release("base", "1.0.0")
    release("base", "2.0.0")
    one, two = release("one", "1.0.0", base="^1.0"), release("two", "1.0.0", base="^2.0")
    succeeded(shelf("install", one))
    before = {path: path.read_bytes() for path in project.glob("shelf.*")}
    done = shelf("install", two, "--json")
    assert done.code == 3
    told = json.loads(done.out)
    assert told["error"] == "Unsatisfiable"
    for word in ("base", "one", "two"):
        assert word in told["message"]
    assert {path: path.read_bytes() for path in project.glob("shelf.*")} == before
    assert versions(shelf) == {"base": "1.0.0", "one": "1.0.0"}


def test_a_range_that_no_release_is_in(shelf: Shelf, release: Release) -> None:
    name = release("scale", "1.0.0")
    done = shelf("install", f"{name}@^7.0", "--json")
    assert (done.code, json.loads(done.out)["error"]) == (3, "Unsatisfiable")


def test_a_dependency_that_does_not_exist(shelf: Shelf, release: Release) -> None:
    name = release("scale", "1.0.0", missing="^1.0")
    done = shelf("install", name)
    assert done.code == 3
    assert "missing" in done.err


def test_prereleases_are_for_those_who_ask(shelf: Shelf, release: Release) -> None:
    release("scale", "1.0.0")
    name = release("scale", "2.0.0-rc.1")
    succeeded(shelf("install", name))
    assert versions(shelf) == {"scale": "1.0.0"}
    assert shelf("outdated").code == 0
    succeeded(shelf("install", f"{name}@2.0.0-rc.1"))
    assert versions(shelf) == {"scale": "2.0.0-rc.1"}


def test_upgrade_stays_in_the_range_unless_told_otherwise(shelf: Shelf, release: Release) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", name))
    release("scale", "1.2.0")
    release("scale", "2.0.0")
    done = shelf("upgrade", "--dry-run", "--json")
    planned = json.loads(done.out)
    assert planned["changes"][0]["after"] == "1.2.0"
    assert planned["bytes_to_fetch"] > 0
    assert versions(shelf) == {"scale": "1.0.0"}
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.2.0"}
    rows = json.loads(shelf("outdated", "--json").out)
    assert (rows[0]["wanted"], rows[0]["latest"], rows[0]["level"]) == ("1.2.0", "2.0.0", "major")
    succeeded(shelf("upgrade", name, "--major"))
    assert versions(shelf) == {"scale": "2.0.0"}
