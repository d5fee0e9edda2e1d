"""A store that an admin fills and nobody else can write to, and two users who install from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import modelshelf
from tests.conftest import Finished, Shelf, run_here, write_package
from tests.trouble.readonly import read_only

User = Callable[..., Finished]


@pytest.fixture
def names(shelf: Shelf, publisher: str, tmp_path: Path) -> tuple[str, str]:
    """A package that the admin will have pinned, and one that not."""
    names = f"{publisher}/pinned", f"{publisher}/other"
    for factor, name in enumerate(names):
        folder = write_package(tmp_path / name, name=name, factor=factor + 2.0)
        assert shelf("publish", str(folder)).code == 0
    return names


@pytest.fixture
def srv(names: tuple[str, str], project: Path, tmp_path: Path, user_env: dict[str, str]) -> Path:
    """The home of the admin, who pinned the first package."""
    env = user_env | {"MODELSHELF_HOME": str(tmp_path / "srv")}
    done = run_here("pin", names[0], cwd=project, env=env)
    assert done.code == 0, done.err
    return tmp_path / "srv"


@pytest.fixture
def users(srv: Path, tmp_path: Path, user_env: dict[str, str]) -> list[User]:
    """Two users with homes and projects of their own."""

    def user(name: str) -> User:
        project = tmp_path / name / "project"
        project.mkdir(parents=True)
        (project / "shelf.toml").touch()
        env = user_env | {
            "MODELSHELF_HOME": str(tmp_path / name / "home"),
            "MODELSHELF_SHARED_STORE": str(srv / "store"),
        }
        return lambda *arguments: run_here(*arguments, cwd=project, env=env)

    return [user("ann"), user("bob")]


@pytest.fixture
def closed(srv: Path) -> Iterator[Path]:
    """The admin's home, where nobody can write."""
    with read_only(srv):
        yield srv


def stored(home: Path) -> list[str]:
    return [path.name for path in (home / "store" / "files").glob("*/*")]


def state(folder: Path) -> list[tuple[str, int, int]]:
    stats = [(path, path.lstat()) for path in sorted(folder.rglob("*"))]
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats]


def test_nothing_is_fetched_that_the_shared_store_has(
    users: list[User], names: tuple[str, str], closed: Path, tmp_path: Path
) -> None:
    before = state(closed)
    for user, place in zip(users, ("ann", "bob"), strict=True):
        done = user("install", names[0], "--variant", "*", "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["bytes_fetched"] == 0
        assert stored(tmp_path / place / "home") == []
        done = user("install", names[1], "--json")
        assert json.loads(done.out)["bytes_fetched"] > 0
        assert not {*stored(tmp_path / place / "home")} & {*stored(closed)}
        for command in ("sync", "verify --store", "gc", "repair --offline", "list", "du"):
            done = user(*command.split())
            assert done.code == 0, (command, done)
        model = modelshelf.load(names[0], shelf=tmp_path / place / "project")
        assert model.variants
    assert state(closed) == before


def test_a_shelf_with_links_into_the_shared_store_can_change(
    users: list[User], names: tuple[str, str], closed: Path, tmp_path: Path
) -> None:
    ann = users[0]
    assert ann("install", *names).code == 0
    small = tmp_path / "ann" / "project" / ".shelf" / names[0] / "1.0.0" / "small.onnx"
    assert small.is_symlink() or small.stat().st_nlink > 1 or os.name == "nt"
    assert ann("remove", names[1]).code == 0
    assert ann("verify", "--store").code == 0
    assert ann("remove", names[0]).code == 0
    assert not os.path.lexists(small)
    assert ann("rollback").code == 0
    assert small.read_bytes()
    assert ann("verify", "--store").code == 0


def test_a_link_to_anywhere_else_is_still_refused(
    users: list[User], names: tuple[str, str], srv: Path, tmp_path: Path
) -> None:
    ann = users[0]
    assert ann("install", names[0]).code == 0
    small = tmp_path / "ann" / "project" / ".shelf" / names[0] / "1.0.0" / "small.onnx"
    content = small.read_bytes()
    small.unlink()
    (tmp_path / "mine").write_bytes(content)
    small.symlink_to(tmp_path / "mine")
    done = ann("verify", "--json")
    assert done.code == 5
    assert [each["kind"] for each in json.loads(done.out)["wrong"]] == ["link"]
    assert ann("install", names[1]).code == 8
    assert ann("repair").code == 0
    assert not small.is_symlink() or small.resolve().is_relative_to(srv)
    assert (tmp_path / "mine").read_bytes() == content
    assert ann("verify", "--store").code == 0
    small.parent.rename(tmp_path / "theirs")
    small.parent.symlink_to(tmp_path / "theirs")
    assert ann("repair").code == 8


def test_a_shared_store_that_is_elsewhere_now(
    users: list[User], names: tuple[str, str], srv: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    ann = users[0]
    with read_only(srv):
        assert ann("install", names[0]).code == 0
    srv.rename(tmp_path / "moved")
    env = user_env | {
        "MODELSHELF_HOME": str(tmp_path / "ann" / "home"),
        "MODELSHELF_SHARED_STORE": str(tmp_path / "moved" / "store"),
    }
    here = tmp_path / "ann" / "project"
    with read_only(tmp_path / "moved"):
        assert run_here("repair", "--offline", cwd=here, env=env).code == 0
        assert run_here("verify", "--store", cwd=here, env=env).code == 0
    assert stored(tmp_path / "ann" / "home") == []


def test_what_leaves_the_shared_store_is_repaired(
    users: list[User], names: tuple[str, str], srv: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    ann = users[0]
    with read_only(srv):
        assert ann("install", names[0]).code == 0
    env = user_env | {"MODELSHELF_HOME": str(srv)}
    for command in (["pin", "--drop", names[0]], ["gc"]):
        assert run_here(*command, cwd=tmp_path, env=env).code == 0
    assert stored(srv) == []
    done = ann("verify", "--json")
    assert done.code == 5
    kinds = {each["kind"] for each in json.loads(done.out)["wrong"]}
    assert kinds <= {"missing", "link", "manifest"}
    assert ann("repair").code == 0, done
    assert ann("verify", "--store").code == 0
