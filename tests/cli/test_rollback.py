"""Going back: to the state before, to any, and again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions


def states(shelf: Shelf) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        succeeded(shelf("rollback", "--list", "--json")).out
    )["generations"]
    return found


@pytest.fixture
def names(shelf: Shelf, release: Publish) -> list[str]:
    """Three packages, installed one after another."""
    found = [release(each, "1.0.0", factor=2.0 + n) for n, each in enumerate(("a", "b", "c"))]
    for each in found:
        succeeded(shelf("install", each))
    return found


def test_step_by_step_and_to_a_number(names: list[str], shelf: Shelf, project: Path) -> None:
    assert [each["done"] for each in states(shelf)] == [f"add {each}" for each in names]
    for left in (2, 1):
        succeeded(shelf("rollback"))
        assert sorted(versions(shelf)) == ["a", "b", "c"][:left]
        assert names[left] not in (project / "shelf.toml").read_text()
        succeeded(shelf("sync", "--locked"))
    done = shelf("rollback")
    assert done.code == 1
    assert "nothing to go back to" in done.err
    succeeded(shelf("rollback", "--to", "3"))
    assert sorted(versions(shelf)) == ["a", "b", "c"]
    assert [each["in_force"] for each in states(shelf)] == [False, False, True]
    assert shelf("rollback", "--to", "17").code == 1


def test_the_same_state_is_kept_once(names: list[str], shelf: Shelf) -> None:
    for command in (("sync",), ("install",), ("lock",), ("upgrade",), ("install", names[0])):
        succeeded(shelf(*command))
    assert len(states(shelf)) == 3


def test_what_was_removed_comes_back_without_the_network(
    names: list[str], shelf: Shelf, project: Path
) -> None:
    before = {path: path.read_bytes() for path in project.glob(".shelf/*/*/*/*")}
    manifest, lock = (project / "shelf.toml").read_text(), (project / "shelf.lock").read_bytes()
    succeeded(shelf("remove", *names))
    assert versions(shelf) == {}
    succeeded(shelf("gc"))
    succeeded(shelf("rollback", "--offline"))
    assert {path: path.read_bytes() for path in project.glob(".shelf/*/*/*/*")} == before
    assert (project / "shelf.lock").read_bytes() == lock
    assert (project / "shelf.toml").read_text() == manifest


def test_after_going_back_and_on_the_state_before_is_the_one_that_was(
    names: list[str], shelf: Shelf, release: Publish
) -> None:
    other = release("d", "1.0.0", factor=9.0)
    succeeded(shelf("rollback", "--to", "1"))
    succeeded(shelf("install", other))
    assert sorted(versions(shelf)) == ["a", "d"]
    succeeded(shelf("rollback"))
    assert sorted(versions(shelf)) == ["a"]


def test_a_lock_that_came_from_elsewhere_is_a_state_too(
    names: list[str], shelf: Shelf, project: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for file in ("shelf.toml", "shelf.lock"):
        shutil.copy(project / file, clone)
    succeeded(shelf("sync", "--frozen", cwd=clone))
    succeeded(shelf("remove", names[0], cwd=clone))
    assert sorted(versions(shelf, cwd=clone)) == ["b", "c"]
    succeeded(shelf("rollback", cwd=clone))
    assert sorted(versions(shelf, cwd=clone)) == ["a", "b", "c"]


def test_an_upgrade_is_taken_back(
    names: list[str], shelf: Shelf, release: Publish, project: Path
) -> None:
    release("a", "2.0.0", factor=8.0)
    before = (project / "shelf.toml").read_text()
    succeeded(shelf("upgrade", "--major"))
    assert versions(shelf)["a"] == "2.0.0"
    succeeded(shelf("rollback", "--dry-run"))
    assert versions(shelf)["a"] == "2.0.0"
    succeeded(shelf("rollback"))
    assert versions(shelf)["a"] == "1.0.0"
    assert (project / "shelf.toml").read_text() == before


def test_comments_and_other_tables_stay(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("a", "1.0.0")
    head = '# mine\n[resolution]\nmin-release-age = "0 days"  # none\n'
    (project / "shelf.toml").write_text(head, encoding="utf-8")
    succeeded(shelf("install", name))
    succeeded(shelf("install", name, "--variant", "large"))
    succeeded(shelf("rollback"))
    assert (project / "shelf.toml").read_text().startswith(head)
    assert (project / ".shelf" / name / "1.0.0" / "small.onnx").is_file()
    assert not (project / ".shelf" / name / "1.0.0" / "large.onnx").exists()
