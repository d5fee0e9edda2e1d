"""Syncing after all that happens to a project: clones, circles, yanks, odd files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions


def write(project: Path, text: str) -> None:
    (project / "shelf.toml").write_text(text, encoding="utf-8")


def test_an_empty_project(shelf: Shelf, project: Path) -> None:
    for command in (
        ("sync",),
        ("install",),
        ("lock",),
        ("lock", "--check"),
        ("upgrade",),
        ("outdated",),
        ("tree",),
        ("list",),
        ("rollback", "--list"),
    ):
        succeeded(shelf(*command))
    write(project, '[resolution]\nmin-release-age = "3 days"\n')
    for command in (("sync",), ("lock",), ("sync", "--locked"), ("lock", "--check")):
        succeeded(shelf(*command))


def test_packages_that_need_each_other(shelf: Shelf, release: Publish) -> None:
    release("a", "1.0.0")
    release("b", "1.0.0", needs={"a": "^1.0"}, factor=3.0)
    name = release("a", "1.1.0", needs={"b": "^1.0"}, override=True)
    succeeded(shelf("install", f"{name}@^1.1"))
    assert versions(shelf) == {"a": "1.1.0", "b": "1.0.0"}
    for command in (
        ("tree",),
        ("tree", "--invert"),
        ("why", name),
        ("why", release.whole("b")),
        ("tree", "--json"),
    ):
        assert "/b" in succeeded(shelf(*command)).out or command == ("why", name)
    succeeded(shelf("sync", "--locked"))
    assert shelf("outdated").code == 0
    succeeded(shelf("remove", name))
    assert versions(shelf) == {}


def test_a_yanked_release_is_left_by_an_upgrade(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    release("scale", "1.0.0")
    name = release("scale", "1.1.0", factor=3.0)
    succeeded(shelf("install", f"{name}@^1.0"))
    succeeded(shelf("yank", f"{name}@1.1.0", "--reason", "wrong weights"))
    before = (project / "shelf.lock").read_bytes()
    for command in (("sync",), ("lock",), ("sync", "--locked")):
        succeeded(shelf(*command))
    assert (project / "shelf.lock").read_bytes() == before
    (row,) = json.loads(shelf("outdated", "--json").out)
    assert (row["current"], row["wanted"], row["advisory"]) == (
        "1.1.0",
        "1.0.0",
        "yanked: wrong weights",
    )
    shelf("outdated")
    succeeded(shelf("upgrade", "--dry-run"))
    succeeded(shelf("upgrade"))
    assert versions(shelf) == {"scale": "1.0.0"}
    assert shelf("outdated").code == 0


def test_a_yanked_release_stays_when_another_package_comes(shelf: Shelf, release: Publish) -> None:
    name, other = release("scale", "1.0.0"), release("other", "1.0.0", factor=3.0)
    succeeded(shelf("install", name))
    succeeded(shelf("yank", f"{name}@1.0.0", "--reason", "wrong"))
    succeeded(shelf("install", other))
    assert versions(shelf) == {"scale": "1.0.0", "other": "1.0.0"}


@pytest.mark.parametrize(
    "text",
    [
        "[resolution]\nexclude-newer = 2026-11-01\n",
        '[resolution]\nexclude-newer = "yesterday"\n',
        '[resolution]\nmin-release-age = "a while"\n',
        "[resolution]\nmin-release-age = 3\n",
        '[environments.a]\npython = "banana"\n',
        "[environments.a]\npython = 3.11\n",
        '[environments.a]\nframeworks = { torch = ">=2" }\n',
        '[environments.a]\nhardware = "cuda"\n',
        '[environments.a]\ncontexts = ["kitchen"]\n',
        '[environments.a]\nformats = ["onyx"]\n',
        '[environments."a\\nb"]\n',
        '[environments.""]\n',
        'registries = ["not a url"]\n',
        "environments = 3\n",
        "[environments]\na = 3\n",
        '[dependencies]\n"acme/x" = { version = "*", isolated = "yes" }\n',
        '[dependencies]\n"acme/x" = { version = "*", where = "nonsense" }\n',
        '[dependencies]\n"acme/x" = 1\n',
        '[dependencies]\nx = "*"\n',
    ],
)
def test_what_is_wrong_in_shelf_toml_is_told_with_its_line(
    text: str, shelf: Shelf, project: Path
) -> None:
    write(project, "\n" + text)
    for command in (("sync",), ("lock",), ("upgrade",), ("outdated",)):
        done = shelf(*command)
        assert done.code in (1, 2), done.out
        assert "shelf.toml:" in done.err
        assert "Traceback" not in done.err
    assert not (project / "shelf.lock").exists()


def test_an_environment_that_is_none_is_told_with_the_nearest(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0")
    write(project, f'[environments.phone]\n[environments.server]\n[dependencies]\n"{name}" = "*"\n')
    done = shelf("sync", "--environment", "phonee")
    assert done.code == 2
    assert "`phone`" in done.err
    assert shelf("sync").code == 2
    succeeded(shelf("sync", "--environment", "phone"))
    succeeded(shelf("tree", "--environment", "server"))
    assert shelf("tree", "--environment", "none").code == 2
    write(
        project, f'[environments.phones]\n[environments.server]\n[dependencies]\n"{name}" = "*"\n'
    )
    assert shelf("sync").code == 2, "it was phone"
    succeeded(shelf("sync", "--environment", "server"))


def test_an_environment_more_changes_nothing_for_the_others(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0")
    write(project, f'[environments.a]\n[dependencies]\n"{name}" = "^1.0"\n')
    succeeded(shelf("sync"))
    release("scale", "1.1.0", factor=3.0)
    write(project, f'[environments.a]\n[environments.b]\n[dependencies]\n"{name}" = "^1.0"\n')
    assert shelf("sync", "--locked").code == 4
    succeeded(shelf("sync", "--environment", "a"))
    assert versions(shelf) == {"scale": "1.0.0"}
    succeeded(shelf("sync", "--environment", "b"))
    assert versions(shelf) == {"scale": "1.0.0"}


def test_files_put_among_the_models_go(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", name))
    stray = project / ".shelf" / name / "1.0.0" / "stray.bin"
    stray.write_bytes(b"x")
    (project / ".shelf" / name / "9.9.9").mkdir()
    (project / "shelf.toml").touch()
    succeeded(shelf("sync"))
    assert not stray.exists()
    assert not (project / ".shelf" / name / "9.9.9").exists()


def test_prereleases_are_named_to_be_chosen(shelf: Shelf, release: Publish) -> None:
    release("base", "1.0.0")
    release("base", "1.1.0-rc.1", factor=3.0)
    name = release("scale", "1.0.0", needs={"base": "^1.0"})
    picky = release("picky", "1.0.0", needs={"base": ">=1.1.0-rc.1"}, factor=4.0)
    succeeded(shelf("install", name))
    assert versions(shelf)["base"] == "1.0.0"
    assert shelf("install", picky).code == 3, "^1.0 names no pre-release"
    succeeded(shelf("remove", name))
    succeeded(shelf("install", picky))
    assert versions(shelf)["base"] == "1.1.0-rc.1"
    succeeded(shelf("sync", "--locked"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"\x00" * 100, id="zeros"),
        pytest.param(b"version = " + b"9" * 5000, id="a long number"),
        pytest.param(b"a." * 50000 + b"a = 1", id="a deep key"),
        pytest.param(b"x = " + b"[" * 100000, id="deep nesting"),
        pytest.param(b'version = "2.0"\n[packages]\n', id="no list"),
        pytest.param(b'version = "2.0"\npackages = [{}]\n', id="empty package"),
    ],
)
def test_a_lock_that_is_none(content: bytes, shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", name))
    (project / "shelf.lock").write_bytes(content)
    for command in (
        ("sync",),
        ("sync", "--frozen"),
        ("lock",),
        ("upgrade",),
        ("install", name),
        ("lock", "--check"),
        ("rollback",),
    ):
        done = shelf(*command)
        assert done.code == 4, (command, done.out, done.err)
        assert "shelf.lock" in done.err
    for command in (("outdated",), ("list",), ("tree",), ("why", name)):
        assert shelf(*command).code in (1, 4)
    assert (project / "shelf.lock").read_bytes() == content
    (project / "shelf.lock").unlink()
    succeeded(shelf("sync"))
    assert versions(shelf) == {"scale": "1.0.0"}


def test_a_lock_with_a_byte_order_mark_and_other_line_ends(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", name))
    path = project / "shelf.lock"
    text = path.read_text()
    path.write_bytes(text.replace("\n", "\r\n").encode())
    succeeded(shelf("sync", "--locked"))
    succeeded(shelf("lock", "--check"))
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    succeeded(shelf("sync", "--locked"))


def test_environments_that_need_different_packages(
    shelf: Shelf, release: Publish, project: Path
) -> None:
    release("base", "1.0.0", factor=5.0)
    release("scale", "1.0.0")
    name = release(
        "scale", "1.1.0", needs={"base": "^1.0"}, factor=3.0, override=True,
        add='\n[requires]\npython_version = ">=3.12"\n',
    )  # fmt: skip
    write(
        project,
        f'[environments.old]\npython = "3.11"\n[environments.new]\npython = "3.12"\n[dependencies]\n"{name}" = {{ version = "^1.0", isolated = true }}\n',
    )
    succeeded(shelf("sync", "--environment", "old"))
    assert versions(shelf) == {"scale": "1.0.0"}
    assert "base" not in succeeded(shelf("tree")).out
    assert "base" in succeeded(shelf("tree", "--environment", "new")).out
    assert shelf("why", release.whole("base")).code == 1
    assert "base" in succeeded(shelf("why", release.whole("base"), "--environment", "new")).out
    succeeded(shelf("upgrade"))
    succeeded(shelf("lock", "--check", "--upgrade"))
    (row,) = json.loads(shelf("outdated", "--json").out)
    assert (row["current"], row["wanted"], row["latest"]) == ("1.0.0", "1.0.0", "1.1.0")
    succeeded(shelf("sync", "--environment", "new", "--frozen"))
    assert versions(shelf) == {"scale": "1.1.0", "base": "1.0.0"}
    assert shelf("outdated").code == 0
    assert {path.name for path in project.glob(".shelf/*/scale/*")} == {"1.1.0"}
    succeeded(shelf("remove", name))
    assert versions(shelf) == {}
