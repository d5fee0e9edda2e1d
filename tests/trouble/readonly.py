"""A folder that nobody can write to, not even root, who runs the tests in a container."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written below `folder`; skips the test where this machine cannot have that."""
    if os.geteuid():
        with _closed(folder):
            yield
        return
    mounts = [["--bind", str(folder), str(folder)], ["-o", "remount,bind,ro", str(folder)]]
    done = []
    try:
        for each in mounts:
            ran = subprocess.run(["mount", *each], capture_output=True, text=True, check=False)
            if ran.returncode:
                pytest.skip(f"root may write everywhere and mount nothing here: {ran.stderr}")
            done.append(each)
        yield
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def _closed(folder: Path) -> Iterator[None]:
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for each in folders:
        each.chmod(0o555)
    try:
        yield
    finally:
        for each in folders:
            each.chmod(0o755)
