"""Two people change one lock: version control marks what it cannot merge, `shelf lock` mends it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Shelf

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git marks the conflict")


class Sides:
    """The projects of two people, and the one into which both are merged."""

    def __init__(self, shelf: Shelf, project: Path, publisher: str) -> None:
        self.shelf = shelf
        self.project = project
        self.publisher = publisher

    def wanting(self, side: str, *wanted: str) -> Path:
        """A project that wants packages of the publisher, in this order, locked."""
        folder = self.project.parent / side
        folder.mkdir()
        lines = [
            f'"{self.publisher}/{name}" = "{version}"' for name, version in map(str.split, wanted)
        ]
        (folder / "shelf.toml").write_text(
            "\n".join(["[dependencies]", *lines, ""]), encoding="utf-8"
        )
        done = self.shelf("lock", cwd=folder)
        assert done.code == 0, done.err
        return folder / "shelf.lock"

    def merge(self, ours: Path, base: Path, theirs: Path) -> Path:
        """The project as git leaves it: both want what is in `shelf.toml`, the lock has marks."""
        merged = self.project / "shelf.lock"
        done = subprocess.run(
            ["git", "merge-file", "-p", ours, base, theirs], capture_output=True, check=False
        )
        assert done.returncode > 0, "git could merge it"
        merged.write_bytes(done.stdout)
        return merged


@pytest.fixture
def sides(shelf: Shelf, project: Path, publisher: str, package: Callable[..., Path]) -> Sides:
    """A publisher with three packages, one of them in two releases."""
    for name, version in (
        ("base", "1.0.0"),
        ("left", "1.0.0"),
        ("right", "1.0.0"),
        ("base", "1.1.0"),
    ):
        folder = project.parent / f"{name}-{version}"
        done = shelf("publish", str(package(folder, name=f"{publisher}/{name}", version=version)))
        assert done.code == 0, done.err
    return Sides(shelf, project, publisher)


def test_what_both_sides_chose_is_locked(sides: Sides) -> None:
    base = sides.wanting("before", "base =1.0.0")
    ours = sides.wanting("ours", "base =1.0.0", "left ^1.0")
    theirs = sides.wanting("theirs", "base =1.0.0", "right ^1.0")
    both = sides.wanting("both", "base =1.0.0", "left ^1.0", "right ^1.0")
    merged = sides.merge(ours, base, theirs)
    (sides.project / "shelf.toml").write_bytes((both.parent / "shelf.toml").read_bytes())
    assert sides.shelf("sync", "--locked").code == 4
    assert sides.shelf("lock", "--check").code == 4
    assert sides.shelf("lock").code == 0
    assert merged.read_bytes() == both.read_bytes()
    assert sides.shelf("sync", "--locked").code == 0


def test_ours_stays_where_the_sides_differ(sides: Sides) -> None:
    base = sides.wanting("before", "left ^1.0")
    ours = sides.wanting("ours", "base =1.0.0")
    theirs = sides.wanting("theirs", "base ^1.1")
    merged = sides.merge(ours, base, theirs)
    text = f'[dependencies]\n"{sides.publisher}/base" = "^1.0"\n'
    (sides.project / "shelf.toml").write_text(text, encoding="utf-8")
    assert sides.shelf("lock").code == 0
    assert 'version = "1.0.0"' in merged.read_text(encoding="utf-8")


def test_a_mended_merge_leaves_a_shelf_like_any_other(sides: Sides) -> None:
    base = sides.wanting("before", "base =1.0.0")
    ours = sides.wanting("ours", "base =1.0.0", "left ^1.0")
    theirs = sides.wanting("theirs", "base ^1.1", "right ^1.0")
    sides.merge(ours, base, theirs)
    (sides.project / "shelf.toml").write_bytes((theirs.parent / "shelf.toml").read_bytes())
    for command in (["sync"], ["gc"], ["add", f"{sides.publisher}/left"], ["rollback"], ["verify"]):
        done = sides.shelf(*command)
        assert done.code == 0, (command, done.err)
