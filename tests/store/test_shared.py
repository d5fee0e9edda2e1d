"""Stores that others fill: their files are there, and nothing is ever made in them."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from modelshelf.errors import NotFound
from modelshelf.store.disk import DiskStore
from modelshelf.store.link import place
from tests.trouble.readonly import read_only

THEIRS, MINE = b"theirs" * 100, b"mine" * 100
DIGEST = hashlib.sha256(THEIRS).hexdigest()


def put(store: DiskStore, folder: Path, content: bytes) -> str:
    (folder / "source").write_bytes(content)
    return store.add(folder / "source")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A store with one file."""
    put(DiskStore(tmp_path / "shared"), tmp_path, THEIRS)
    return tmp_path / "shared"


def everything(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_what_the_shared_store_has_is_there(shared: Path, tmp_path: Path) -> None:
    before = everything(shared)
    with read_only(shared):
        store = DiskStore(tmp_path / "own", shared=[tmp_path / "missing", shared])
        assert (store.has(DIGEST), store.own(DIGEST).is_file()) == (True, False)
        assert store.size(DIGEST) == len(THEIRS)
        assert store.path(DIGEST).is_relative_to(shared)
        assert put(store, tmp_path, THEIRS) == DIGEST
        store.link(DIGEST, tmp_path / "project" / "model.bin")
        assert (tmp_path / "project" / "model.bin").read_bytes() == THEIRS
        mine = put(store, tmp_path, MINE)
        assert store.path(mine) == store.own(mine)
        store.delete(DIGEST)
        store.sweep(older_than_seconds=-1)
        assert list(store.digests()) == [mine]
        with store.quiet():
            assert store.has(DIGEST)
    assert everything(shared) == before


def test_add_and_commit_write_to_the_own_store_only(shared: Path, tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "own", shared=[shared])
    (tmp_path / "source").write_bytes(THEIRS)
    store.add(tmp_path / "source", DIGEST)
    assert list(store.digests()) == []
    partial = store.stage()
    partial.write_bytes(THEIRS)
    assert store.commit(partial, DIGEST).is_relative_to(store.root)
    assert store.path(DIGEST) == store.own(DIGEST)
    store.delete(DIGEST)
    assert store.has(DIGEST)


@pytest.mark.parametrize("kind", ["missing", "a file", "empty", "a loop"])
def test_a_shared_store_that_is_none_is_passed_over(kind: str, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    if kind == "a file":
        shared.write_text("in the way")
    if kind == "empty":
        shared.mkdir()
    if kind == "a loop":
        shared.symlink_to(shared)
    store = DiskStore(tmp_path / "own", shared=[shared])
    assert not store.has(DIGEST)
    assert store.path(DIGEST).is_relative_to(store.root)
    with pytest.raises(NotFound):
        store.size(DIGEST)
    with pytest.raises(NotFound):
        store.link(DIGEST, tmp_path / "target")
    assert shared.is_dir() == (kind == "empty")
    assert kind != "empty" or not list(shared.iterdir())


@pytest.mark.skipif(not os.geteuid(), reason="root may read everything")
def test_a_shared_store_that_may_not_be_read_is_passed_over(shared: Path, tmp_path: Path) -> None:
    (shared / "files").chmod(0)
    try:
        assert not DiskStore(tmp_path / "own", shared=[shared]).has(DIGEST)
    finally:
        (shared / "files").chmod(0o755)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EROFS, errno.EMLINK])
@pytest.mark.parametrize("lent", [False, True])
def test_where_no_hard_link_may_be_a_lent_file_is_linked_to_and_others_copied(
    number: int, lent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(source: Path, target: Path) -> None:
        raise OSError(number, "cannot", str(source), None, str(target))

    monkeypatch.setattr(os, "link", cannot)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(THEIRS)
    place(source, target, lent=lent)
    assert target.read_bytes() == THEIRS
    assert lent or not target.samefile(source)
    if target.is_symlink():  # else the file system shares blocks
        assert lent
        assert target.readlink() == source
    else:
        assert target.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("place", ["shared", "own", "loose"])
def test_only_links_into_a_shared_store_are_lent(place: str, shared: Path, tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "own", shared=[shared])
    put(store, tmp_path, MINE)
    link = tmp_path / "link"
    targets = {
        "shared": store.path(DIGEST),
        "own": store.path(next(store.digests())),
        "loose": shared / "files" / "ab" / DIGEST,
    }
    link.symlink_to(targets[place])
    assert store.lends(link) == (place == "shared")
    assert not store.lends(targets[place])
    assert not store.lends(tmp_path / "missing")


AS_SOMEONE_ELSE = """\
import os, sys
from pathlib import Path
from modelshelf.store.disk import DiskStore
folder, digest = Path(sys.argv[1]), sys.argv[2]
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
closed = DiskStore(folder / "mine" / "a", shared=[folder / "closed"])
assert not closed.has(digest)
store = DiskStore(folder / "mine" / "b", shared=[folder / "closed", folder / "open"])
target = folder / "mine" / "project" / "model.bin"
store.link(digest, target)
assert target.read_bytes() == store.path(digest).read_bytes()
print(target.is_symlink(), store.lends(target))
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be another user")
def test_the_files_of_another_user() -> None:
    """Linux forbids hard links to them; a folder that is closed to this user is passed over."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for each in ("closed", "open"):
            put(DiskStore(folder / each), folder, THEIRS)
        (folder / "closed" / "files").chmod(0o700)
        (folder / "mine").mkdir()
        os.chown(folder / "mine", 65534, 65534)
        program = [sys.executable, "-c", AS_SOMEONE_ELSE, name, DIGEST]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        protected = Path("/proc/sys/fs/protected_hardlinks")
        if protected.exists() and protected.read_text().strip() == "1":
            assert done.stdout in ("True True\n", "False False\n")  # the latter: blocks are shared
