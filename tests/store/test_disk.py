"""Files by digest on local disk: arriving, whole, linked out, and the trouble between."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from modelshelf.errors import Conflict, IntegrityError, Invalid, NotFound, ShelfError
from modelshelf.store import disk
from modelshelf.store.disk import DiskStore, is_full

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


def put(store: DiskStore, content: bytes = CONTENT) -> str:
    partial = store.stage()
    with store.append(partial, 0) as file:
        file.write(content)
    digest = hashlib.sha256(content).hexdigest()
    store.commit(partial, digest)
    return digest


def test_a_file_arrives_in_pieces_and_is_whole_only_after_commit(store: DiskStore) -> None:
    partial = store.stage("arriving")
    with store.append(partial, 0) as file:
        file.write(CONTENT[:100])
    assert not store.has(DIGEST)
    with store.append(store.stage("arriving"), 100) as file:
        file.write(CONTENT[100:])
        assert file.offset == len(CONTENT)
    path = store.commit(partial, DIGEST)
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o444
    assert (store.has(DIGEST), store.size(DIGEST)) == (True, len(CONTENT))
    assert list(store.digests()) == [DIGEST]
    assert list((store.root / "partial").iterdir()) == []


def test_a_wrong_offset_tells_the_right_one(store: DiskStore) -> None:
    partial = store.stage()
    with pytest.raises(Conflict) as caught, store.append(partial, 7):
        pass
    assert (caught.value.expected, caught.value.got) == (0, 7)


def test_only_one_writes_to_a_partial(store: DiskStore) -> None:
    partial = store.stage()
    with (
        store.append(partial, 0),
        pytest.raises(Conflict, match="Someone else"),
        store.append(partial, 0),
    ):
        pass


def test_wrong_bytes_are_dropped(store: DiskStore) -> None:
    partial = store.stage()
    partial.write_bytes(b"other")
    with pytest.raises(IntegrityError) as caught:
        store.commit(partial, DIGEST)
    assert caught.value.expected == DIGEST
    assert not partial.exists()
    assert not store.has(DIGEST)


def test_the_same_file_twice_is_one_file(store: DiskStore) -> None:
    assert put(store) == put(store) == DIGEST
    assert list(store.digests()) == [DIGEST]


def test_add_copies_and_verifies(store: DiskStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    assert store.add(source) == DIGEST
    assert store.add(source, DIGEST) == DIGEST
    with pytest.raises(IntegrityError):
        store.add(source, "0" * 64)
    assert source.read_bytes() == CONTENT
    assert list((store.root / "partial").iterdir()) == []


def test_link_is_a_hard_link_and_replaces(store: DiskStore, tmp_path: Path) -> None:
    put(store)
    target = tmp_path / "project" / "deep" / "model.bin"
    store.link(DIGEST, target)
    store.link(DIGEST, target)
    assert target.samefile(store.path(DIGEST))
    assert [path.name for path in target.parent.iterdir()] == ["model.bin"]
    store.delete(DIGEST)
    store.delete(DIGEST)
    assert target.read_bytes() == CONTENT
    with pytest.raises(NotFound):
        store.link(DIGEST, target)
    with pytest.raises(NotFound):
        store.size(DIGEST)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_link_copies_where_it_cannot_link(
    store: DiskStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def cannot(source: Path, target: Path) -> None:
        raise OSError(number, "cannot", str(source), None, str(target))

    put(store)
    monkeypatch.setattr(os, "link", cannot)
    store.link(DIGEST, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT
    assert not (tmp_path / "copy").samefile(store.path(DIGEST))


def test_a_full_disk_is_told_and_given_back(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = store.stage()
    partial.write_bytes(CONTENT[:10])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ShelfError, match="No space") as caught, store.append(partial, 10) as file:
        file.write(CONTENT[10:])
    assert is_full(caught.value)
    assert partial.read_bytes() == CONTENT[:10]
    assert list(store.digests()) == []


@pytest.mark.parametrize("name", ["../escape", "a/b", "", " ", "a.lock", "é"])
def test_a_partial_cannot_be_named_out_of_the_store(store: DiskStore, name: str) -> None:
    if name:
        with pytest.raises(Invalid):
            store.stage(name)
    with pytest.raises(Invalid):
        store.path(name)


def test_killed_in_the_middle_the_rest_goes_on(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from modelshelf.store.disk import DiskStore\n"
        "store = DiskStore(Path(sys.argv[1]))\n"
        "with store.append(store.stage('big'), 0) as file:\n"
        "    file.write(b'weights' * 500)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = tmp_path / "store"
    done = subprocess.run([sys.executable, "-c", program, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    store = DiskStore(root)
    partial = store.stage("big")
    assert list(store.digests()) == []
    with store.append(partial, partial.stat().st_size) as file:
        file.write(CONTENT[file.offset :])
    assert store.commit(partial, DIGEST).read_bytes() == CONTENT


def test_sweep_forgets_what_stands_still(store: DiskStore) -> None:
    old, new = store.stage("old"), store.stage("new")
    os.utime(old, (0, 0))
    assert store.sweep(older_than_seconds=3600) == [old]
    assert new.exists()


def test_who_looks_after_the_store_is_alone(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "another_process_seconds", 0.0)
    with store.quiet():
        with pytest.raises(Conflict, match="looks after"), DiskStore(store.root).quiet():
            pass
        put(store)
    with store.quiet():
        assert store.has(DIGEST)


def test_a_store_that_moved_is_waited_for_at_its_new_place(
    store: DiskStore, tmp_path: Path
) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from modelshelf.store.disk import DiskStore\n"
        "store = DiskStore(Path(sys.argv[1]))\n"
        "print('waits', flush=True)\n"
        "with store.quiet():\n"
        "    print((store.root.resolve() / 'lock').stat().st_ino)\n"
    )
    with store.quiet():
        waiting = subprocess.Popen(
            [sys.executable, "-c", program, str(store.root)], stdout=subprocess.PIPE, text=True
        )
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "waits\n"
        shutil.copytree(store.root, tmp_path / "new")
        store.root.rename(tmp_path / "old")
        store.root.symlink_to(tmp_path / "new")
    told, _ = waiting.communicate(timeout=30)
    assert int(told) == (tmp_path / "new" / "lock").stat().st_ino


@pytest.mark.parametrize("left", [None, b"", CONTENT[:10], CONTENT * 2])
def test_a_small_file_is_kept_whatever_a_killed_process_left(
    left: bytes | None, store: DiskStore
) -> None:
    if left is not None:
        store.stage(DIGEST).write_bytes(left)
    store.put(CONTENT, DIGEST)
    store.put(CONTENT, DIGEST)
    assert store.path(DIGEST).read_bytes() == CONTENT
    assert list((store.root / "partial").iterdir()) == []
    with pytest.raises(IntegrityError):
        store.put(CONTENT, "0" * 64)
    assert store.partials() == []


def test_many_keep_the_same_small_file_at_once(store: DiskStore) -> None:
    contents = [bytes([number]) * 5000 for number in range(20)]
    digests = [hashlib.sha256(each).hexdigest() for each in contents]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.put, contents * 8, digests * 8))
    assert sorted(store.digests()) == sorted(digests)
    assert store.partials() == []


def test_a_store_that_is_gone_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """While a store moves there is nothing between the renaming and the link to the new place."""
    store = DiskStore(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    link = threading.Timer(0.2, lambda: (tmp_path / "old").symlink_to(tmp_path / "new"))
    link.start()
    with store.quiet():
        link.join()
        assert (tmp_path / "old").is_symlink()
        with pytest.raises(Timeout), FileLock(tmp_path / "new" / disk.LOCK, timeout=0):
            pass


def test_a_store_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "moving_seconds", 0.05)
    store = DiskStore(tmp_path / "old")
    shutil.rmtree(store.root)
    with pytest.raises(NotFound, match="gone"), store.quiet():
        pass
