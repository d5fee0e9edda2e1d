"""A stranger's project: links, locks and descriptions that reach for files outside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import modelshelf
from modelshelf.client.shelf import FOLDER
from modelshelf.errors import LockStale
from modelshelf.package.entry import Entry
from modelshelf.package.path import ENTRY
from tests.conftest import Finished

Shelf = Callable[..., Finished]
VERSION = "1.0.0"


@pytest.fixture
def installed(
    shelf: Shelf, publisher: str, package: Callable[..., Path], tmp_path: Path
) -> tuple[str, Path]:
    """A package on the project's shelf → its name and the folder of the release."""
    name = f"{publisher}/scale"
    done = shelf("publish", str(package(tmp_path / "source", name=name)))
    assert done.code == 0, done.err
    done = shelf("install", name)
    assert done.code == 0, done.err
    return name, tmp_path / "project" / FOLDER / name / VERSION


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_a_shelf_that_is_a_link_is_refused(
    depth: int, installed: tuple[str, Path], shelf: Shelf, tmp_path: Path
) -> None:
    """Taking away what the lock does not name would empty the folder that it leads to."""
    name, release = installed
    mine = tmp_path / "home-of-the-user"
    for below in ("letter.txt", "a/b/c/letter.txt", f"{VERSION}/letter.txt"):
        (mine / below).parent.mkdir(parents=True, exist_ok=True)
        (mine / below).write_text("dear")
    link = [*reversed(release.parents[:3]), release][depth]
    shutil.rmtree(link)
    link.symlink_to(mine)
    done = shelf("install", name + "@*")
    assert done.code == 8, done.err
    assert len(list(mine.rglob("letter.txt"))) == 3
    assert sorted(path.name for path in mine.iterdir()) == [VERSION, "a", "letter.txt"]


@pytest.mark.parametrize("file", [".shelf.toml.part", ".shelf.lock.part"])
def test_a_link_where_a_file_is_begun_is_not_followed(
    file: str, installed: tuple[str, Path], shelf: Shelf, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("dear")
    (project / file).symlink_to(tmp_path / "mine")
    done = shelf("remove", installed[0])
    assert done.code == 0, done.err
    assert (tmp_path / "mine").read_text() == "dear"
    assert not (project / "shelf.lock").is_symlink()


def test_a_description_cannot_lead_loading_out_of_the_shelf(
    installed: tuple[str, Path], project: Path, tmp_path: Path
) -> None:
    name, release = installed
    shutil.copyfile(release / "small.onnx", tmp_path / "outside.onnx")
    entry = msgspec.json.decode((release / ENTRY).read_bytes(), type=Entry)
    outside = str(tmp_path / "outside.onnx")
    small = entry.variants[0]
    artifact = msgspec.structs.replace(small.artifacts[0], files=(outside,))
    variants = (msgspec.structs.replace(small, artifacts=(artifact,)), *entry.variants[1:])
    forged = msgspec.structs.replace(entry, variants=variants)
    (release / ENTRY).write_bytes(msgspec.json.encode(forged))
    with pytest.raises(LockStale):
        modelshelf.load(name, shelf=project)


def test_installing_twice_leaves_the_store_as_it_was(
    installed: tuple[str, Path], shelf: Shelf
) -> None:
    """The description is written beside and renamed: a link of that name is never written into."""
    name, release = installed
    victim = release.parent / "victim"
    victim.write_text("dear")
    (release / ENTRY).unlink()
    (release / ENTRY).hardlink_to(victim)
    done = shelf("install", name + "@*")
    assert done.code == 0, done.err
    assert not (release / ENTRY).samefile(victim) if victim.exists() else True
    assert msgspec.json.decode((release / ENTRY).read_bytes(), type=Entry).name == name
