"""`shelf lock`: checked, merged, changed by little; a lock changed by hand is found out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions


def tree(project: Path) -> dict[str, bytes]:
    """Every file of the project that a command could spoil."""
    return {
        str(path): path.read_bytes()
        for path in project.rglob("*")
        if (path.is_file() and path.suffix != ".lock") or path.name == "shelf.lock"
    }


@pytest.fixture
def locked(shelf: Shelf, release: Publish, project: Path) -> str:
    """A shelf with a package and what it needs; gives the package's name."""
    release("base", "1.0.0")
    release("base", "1.1.0", factor=3.0)
    name = release("top", "1.0.0", needs={"base": "^1.0"})
    succeeded(shelf("install", name))
    return name


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("^1.0.0", ">=0.9, <2.0"),
        lambda text: text + '\n[environments.phone]\ncontexts = ["edge"]\n',
        lambda text: "[dependencies]\n",
    ],
    ids=["range", "environment", "removed"],
)
def test_a_lock_that_does_not_answer_any_more(
    change: Callable[[str], str], locked: str, shelf: Shelf, project: Path
) -> None:
    succeeded(shelf("lock", "--check"))
    manifest = project / "shelf.toml"
    manifest.write_text(change(manifest.read_text()), encoding="utf-8")
    before = tree(project)
    for command in (("lock", "--check"), ("sync", "--locked")):
        done = shelf(*command)
        assert done.code == 4, done.err
        assert "out of date" in done.err
    succeeded(shelf("sync", "--frozen"))
    assert versions(shelf) == {"base": "1.1.0", "top": "1.0.0"}
    after = tree(project)
    assert {path: after[path] for path in before if "stamp" not in path} == {
        path: held for path, held in before.items() if "stamp" not in path
    }


def block(text: str, name: str) -> str:
    """The lines of a package in a lock."""
    found = [each for each in re.split(r"(?=\[\[packages\]\])", text) if f'/{name}"\n' in each]
    return next(
        each
        for each in found
        if each.startswith("[[packages]]\nname") and f'/{name}"' in each.split("\n")[1]
    )


def _digit(text: str, key: str, name: str) -> str:
    part = block(text, name)
    at = part.index(f'{key} = "') + len(key) + 4
    flipped = "1" if part[at] == "0" else "0"
    return text.replace(part, part[:at] + flipped + part[at + 1 :])


HAND: dict[str, Callable[[str], str]] = {
    "version": lambda text: text.replace(block(text, "base"), block(text, "base").replace('version = "1.1.0"', 'version = "1.0.0"')),
    "commit": lambda text: _digit(text, "commit", "base"),
    "manifest": lambda text: _digit(text, "manifest", "base"),
    "sha256": lambda text: _digit(text, "sha256", "base"),
    "license": lambda text: text.replace('license = "Apache-2.0"', 'license = "MIT"', 1),
    "size": lambda text: re.sub(r"size = (\d+)", r"size = 1\1", text, count=1),
    "package gone": lambda text: text.replace(block(text, "base"), ""),
    "idle package": lambda text: text + block(text, "base").replace("/base", "/idle"),
    "twice": lambda text: text + block(text, "base"),
    "need gone": lambda text: re.sub(r"\[packages.dependencies\]\n.*\n", "", text),
    "need changed": lambda text: text.replace('/base" = { version = "^1.0" }', '/base" = { version = "^1.1" }'),
    "other files": lambda text: text.replace('environments = ["default"]\n', "", 1),
    "more files": lambda text: re.sub(r'(format = "onnx"\ncontexts = \["python"\]\n(?:files = \[\n(?:.*\n)*?\]\n|files = .*\n))', r'\1environments = ["default"]\n', text, count=1),
    "environment": lambda text: text.replace('environments = ["default"]', 'environments = ["other"]'),
    "format": lambda text: text.replace('version = "2.0"', 'version = "9.0"', 1),
    "no toml": lambda text: text + "[[[",
}  # fmt: skip


@pytest.mark.parametrize("way", HAND)
@pytest.mark.parametrize("command", ["--locked", "--frozen"])
def test_a_lock_that_was_changed_by_hand(
    way: str, command: str, locked: str, shelf: Shelf, project: Path
) -> None:
    path = project / "shelf.lock"
    text = path.read_text()
    changed = HAND[way](text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    before = tree(project)
    done = shelf("sync", command)
    assert done.code == 4, done.err
    assert len(done.err.splitlines()[0]) > 20
    assert tree(project) == before


def git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    named = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "merge.conflictStyle=merge",
    ]
    return subprocess.run(
        ["git", *named, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_two_branches_that_add_packages_are_merged(
    style: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    names = {each: release(each, "1.0.0") for each in ("middle", "left", "right")}
    succeeded(shelf("install", names["middle"]))
    (project / ".gitignore").write_text(".shelf/\n", encoding="utf-8")
    git("init", "-b", "main", cwd=project)
    git("add", ".", cwd=project)
    assert git("commit", "-m", "one", cwd=project).returncode == 0
    for side in ("left", "right"):
        git("checkout", "-b", side, "main", cwd=project)
        succeeded(shelf("install", names[side]))
        assert git("commit", "-a", "-m", side, cwd=project).returncode == 0
    for each in names:
        release(each, "1.1.0")
    git("-c", f"merge.conflictStyle={style}", "merge", "left", cwd=project)
    text = (project / "shelf.lock").read_text()
    manifest = project / "shelf.toml"
    wanted = "".join(f'"{name}" = "^1.0.0"\n' for name in names.values())
    manifest.write_text(f"[dependencies]\n{wanted}", encoding="utf-8")
    if "<<<<<<<" in text:
        done = shelf("sync", "--frozen")
        assert done.code == 4
        assert "shelf lock" in done.err
    succeeded(shelf("lock"))
    succeeded(shelf("sync"))
    assert versions(shelf) == dict.fromkeys(names, "1.0.0")
    succeeded(shelf("lock", "--check"))


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    import difflib

    found = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [e for e in found if e[0] == "-"], [e for e in found if e[0] == "+"]


def test_a_package_more_only_adds_lines(
    locked: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    name = release("also", "1.0.0", needs={"base": "^1.0"})
    before = (project / "shelf.lock").read_text()
    succeeded(shelf("install", name))
    gone, come = changed_lines(before, (project / "shelf.lock").read_text())
    assert gone == []
    assert come


def test_an_upgrade_changes_only_its_own_lines(
    locked: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    release("base", "1.2.0", factor=4.0)
    before = (project / "shelf.lock").read_text()
    succeeded(shelf("upgrade", locked.replace("top", "base")))
    after = (project / "shelf.lock").read_text()
    assert block(before, "base") != block(after, "base")
    assert after.replace(block(after, "base"), "") == before.replace(block(before, "base"), "")


def test_check_with_upgrade_looks_whether_anything_would_move(
    locked: str, shelf: Shelf, release: Publish, project: Path
) -> None:
    succeeded(shelf("lock", "--check", "--upgrade"))
    release("base", "1.2.0", factor=4.0)
    before = (project / "shelf.lock").read_bytes()
    assert shelf("lock", "--check", "--upgrade").code == 4
    assert (project / "shelf.lock").read_bytes() == before
