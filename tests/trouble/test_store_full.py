"""A store whose disk is full: gc still frees, pin and repair tell it and lose nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf, run_here, write_package
from tests.trouble.conftest import small_disk
from tests.trouble.weights import assert_store_whole, write_weights


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 4 MiB."""
    with small_disk(tmp_path / "small", 4 << 20) as limit_bytes:
        if limit_bytes is not None:
            pytest.skip("nothing may be mounted here")
        yield tmp_path / "small"


@pytest.fixture
def names(shelf: Shelf, publisher: str, tmp_path: Path) -> tuple[str, str]:
    """A small package, and one of 6 MiB."""
    small, large = f"{publisher}/scale", f"{publisher}/weights"
    folders = [
        write_package(tmp_path / "one", name=small),
        write_weights(tmp_path / "two", large, megabytes=6),
    ]
    for folder in folders:
        assert shelf("publish", str(folder)).code == 0
    return small, large


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


def on(folder: Path, *arguments: str, cwd: Path, env: dict[str, str]) -> Finished:
    env = env | {"MODELSHELF_HOME": str(folder)}
    return run_here(*arguments, cwd=cwd, env=env)


def test_what_does_not_fit_is_told_and_gc_frees_what_came(
    small: Path, names: tuple[str, str], project: Path, user_env: dict[str, str]
) -> None:
    assert on(small, "pin", names[0], cwd=project, env=user_env).code == 0
    done = on(small, "pin", names[1], "--json", cwd=project, env=user_env)
    assert done.code == 1
    assert "space" in json.loads(done.out)["message"]
    assert_store_whole(small)
    fill(small)
    assert on(small, "pin", "--drop", names[0], cwd=project, env=user_env).code == 0
    assert on(small, "pin", "--drop", names[1], cwd=project, env=user_env).code == 0
    done = on(small, "gc", "--json", cwd=project, env=user_env)
    assert done.code == 0, done
    assert len(json.loads(done.out)["files"]) >= 4
    assert not list((small / "store" / "files").glob("*/*"))


def test_repair_on_a_full_disk_tells_it_and_works_when_there_is_room(
    small: Path, names: tuple[str, str], project: Path, user_env: dict[str, str]
) -> None:
    assert on(small, "install", names[0], cwd=project, env=user_env).code == 0
    folder = project / ".shelf" / names[0] / "1.0.0"
    (folder / "small.onnx").unlink()
    shutil.rmtree(small / "store" / "files")
    (small / "store" / "files").mkdir()
    fill(small)
    done = on(small, "repair", cwd=project, env=user_env)
    assert done.code == 1, done
    assert "No space" in done.out
    (small / "filler").unlink()
    assert on(small, "repair", cwd=project, env=user_env).code == 0
    assert on(small, "verify", "--store", cwd=project, env=user_env).code == 0


def test_verify_reads_where_nothing_can_be_written(
    small: Path, names: tuple[str, str], project: Path, user_env: dict[str, str]
) -> None:
    assert on(small, "install", names[0], cwd=project, env=user_env).code == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "modelshelf.cli", "verify", "--store"],
            cwd=project, env=user_env | {"MODELSHELF_HOME": str(small)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
