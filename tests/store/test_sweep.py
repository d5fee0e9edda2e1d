"""Partials that nobody goes on with are forgotten; those of the living are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.store.disk import DiskStore

OLD = (1000.0, 1000.0)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


def names(store: DiskStore) -> list[str]:
    return sorted(path.name for path in (store.root / "partial").iterdir())


def test_a_partial_that_is_written_to_stays_however_old_it_is(store: DiskStore) -> None:
    partial = store.stage("slow")
    with store.append(partial, 0) as file:
        file.write(b"begun")
        os.utime(partial, OLD)
        assert store.stale(older_than_seconds=3600) == []
        assert store.sweep(older_than_seconds=3600) == []
        assert names(store) == ["slow", "slow.lock"]
    assert store.sweep(older_than_seconds=3600) == [partial]
    assert names(store) == []


def test_the_locks_that_killed_processes_left_go_too(store: DiskStore, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from modelshelf.store.disk import DiskStore\n"
        "store = DiskStore(Path(sys.argv[1]))\n"
        "for name in ('with', 'without', 'young'):\n"
        "    with store.append(store.stage(name), 0): pass\n"
        "with store.append(store.stage('with'), 0):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(store.root)], check=False)
    assert done.returncode == -signal.SIGKILL
    for name in ("without", "young"):
        (store.root / "partial" / name).unlink()
    for name in ("with", "with.lock", "without.lock"):
        os.utime(store.root / "partial" / name, OLD)
    assert [path.name for path in store.partials()] == ["with"]
    assert [path.name for path in store.sweep(older_than_seconds=3600)] == ["with"]
    assert names(store) == ["young.lock"]
