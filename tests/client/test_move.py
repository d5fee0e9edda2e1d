"""The store moves: to the same disk, to another one, killed in the middle, and back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.client.move import move_store
from modelshelf.client.settings import settings
from modelshelf.errors import Conflict, IntegrityError, Invalid
from modelshelf.store.disk import DiskStore
from tests.trouble.conftest import small_disk

MOVE = (
    "import sys; from pathlib import Path\n"
    "from modelshelf.client.move import move_store\n"
    "print('begins', flush=True)\n"
    "move_store(Path(sys.argv[1]), lambda count: None)\n"
)


def silent(_count: int) -> None:
    """Nobody watches."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose store has thirty files, two partials and one link out of it."""
    for name in [each for each in os.environ if each.startswith("MODELSHELF_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("MODELSHELF_HOME", str(home))
    store = settings().files()
    for number in range(30):
        partial = store.stage()
        partial.write_bytes(str(number).encode() * 1000)
        store.commit(partial, hashlib.sha256(partial.read_bytes()).hexdigest())
    store.link(next(store.digests()), tmp_path / "linked")
    for name in ("begun", "too"):
        store.stage(name).write_bytes(name.encode())
    return home


def assert_complete(store: DiskStore, tmp_path: Path) -> None:
    digests = list(store.digests())
    assert len(digests) == 30
    for each in digests:
        assert hashlib.sha256(store.path(each).read_bytes()).hexdigest() == each
    assert hashlib.sha256((tmp_path / "linked").read_bytes()).hexdigest() == digests[0]


def test_on_the_same_disk_no_byte_is_copied(home: Path, tmp_path: Path) -> None:
    before = settings().files()
    inodes = {each: before.path(each).stat().st_ino for each in before.digests()}
    told: list[int] = []
    moved = move_store(tmp_path / "deep" / "new", told.append)
    assert moved == (home / "store", tmp_path / "deep" / "new", sum(told))
    store = settings().files()
    assert store.root == tmp_path / "deep" / "new"
    assert {each: store.path(each).stat().st_ino for each in store.digests()} == inodes
    assert_complete(store, tmp_path)
    assert [path.read_bytes() for path in store.partials()] == [b"begun", b"too"]
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".lock") == [
        "settings.json", "store",
    ]  # fmt: skip
    assert_complete(before, tmp_path)  # whoever knows the old place only finds all there
    assert list(json.loads((home / "settings.json").read_text())) == ["store"]


def test_there_and_back(home: Path, tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two", home / "store", tmp_path / "one"]
    for place in [*places, places[-1]]:
        move_store(place, silent)
        assert settings().store == place
        assert not place.is_symlink()
        assert_complete(settings().files(), tmp_path)
    assert not list(tmp_path.rglob(".*.moved"))
    assert not list(tmp_path.rglob("moving"))


@pytest.mark.parametrize("place", ["home/store/inside", "home", "."])
def test_a_store_cannot_move_into_itself(place: str, home: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="itself"):
        move_store(tmp_path / place, silent)
    assert_complete(settings().files(), tmp_path)


@pytest.mark.parametrize("kind", ["a file", "a folder with something", "a link to something"])
def test_a_place_that_is_taken_is_refused(kind: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("dear")
    place = tmp_path / ("taken/letter.txt" if kind == "a file" else "taken")
    if kind == "a link to something":
        place = tmp_path / "link"
        place.symlink_to("taken")
    with pytest.raises(Conflict, match="something"):
        move_store(place, silent)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["letter.txt"]
    assert settings().store == home / "store"


@pytest.mark.parametrize("damaged", [False, True])
def test_to_another_device_each_file_is_checked(
    damaged: bool, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "another device", str(source), None, str(target))

    store = settings().files()
    if damaged:
        path = store.path(list(store.digests())[10])
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    monkeypatch.setattr(os, "link", cannot)
    if damaged:
        with pytest.raises(IntegrityError):
            move_store(tmp_path / "new", silent)
        assert settings().store == home / "store"
        assert len(list(store.digests())) == 30
        return
    move_store(tmp_path / "new", silent)
    assert_complete(settings().files(), tmp_path)


def test_to_another_disk(home: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "other", 4 << 20) as limit_bytes:
        if limit_bytes is not None:
            pytest.skip("nothing may be mounted here")
        for place in (tmp_path / "other", home / "store", tmp_path / "other" / "store"):
            move_store(place, silent)
            assert settings().store == place
            assert_complete(settings().files(), tmp_path)
        assert not list(tmp_path.rglob(".*.moved"))


def test_to_a_disk_that_is_full(home: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 64 << 10) as limit_bytes:
        if limit_bytes is not None:
            pytest.skip("nothing may be mounted here")
        done = subprocess.run(
            [sys.executable, "-m", "modelshelf.cli", "move-store", str(tmp_path / "small")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "No space" in done.stderr
        assert settings().store == home / "store"
        assert_complete(settings().files(), tmp_path)


def test_killed_at_any_moment_the_settings_name_a_whole_store(home: Path, tmp_path: Path) -> None:
    """And the same command again ends what was begun."""
    choice = random.Random(4)
    killed = 0
    for number in range(12):
        target = tmp_path / f"place-{number}"
        process = subprocess.Popen(
            [sys.executable, "-c", MOVE, str(target)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(choice.uniform(0, 0.06))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
        assert_complete(settings().files(), tmp_path)
        if number % 3 == 0:
            move_store(target, silent)
            assert settings().store == target
            assert_complete(settings().files(), tmp_path)
            assert not list(tmp_path.rglob(".*.moved"))
    assert killed


def test_who_has_a_partial_open_goes_on_at_the_new_place(home: Path, tmp_path: Path) -> None:
    store = settings().files()
    content = b"slow" * 100
    partial = store.stage("slow")
    with store.append(partial, 0) as file:
        file.write(content[:100])
        move_store(tmp_path / "new", silent)
        new = settings().files()
        with pytest.raises(Conflict, match="Someone else"), new.append(new.stage("slow"), 100):
            pass
        file.write(content[100:])
    digest = hashlib.sha256(content).hexdigest()
    assert store.commit(partial, digest).read_bytes() == content
    assert new.path(digest).read_bytes() == content
    shutil.rmtree(home)
    assert new.has(digest)
