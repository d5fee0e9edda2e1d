"""Shelves that need files of the store are remembered, one small file each."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.client.roots import FOLDER, forget, register, registered
from modelshelf.errors import ShelfError


def test_each_shelf_is_remembered_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shelves = [tmp_path / "one", tmp_path / "zwei ü\n"]
    assert registered(home) == []
    for each in (*shelves, *shelves):
        register(home, each)
    assert sorted(registered(home)) == shelves
    forget(home, shelves[0])
    assert registered(home) == [shelves[1]]


def test_a_link_to_a_shelf_is_the_shelf(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for name in ("real", "link"):
        register(tmp_path / "home", tmp_path / name)
    assert registered(tmp_path / "home") == [tmp_path / "real"]


@pytest.mark.parametrize("content", [b"", b"/elsewhere", b"\0", b"/a\0b"])
def test_a_damaged_file_is_told_and_nothing_is_guessed(content: bytes, tmp_path: Path) -> None:
    register(tmp_path, tmp_path / "one")
    (path,) = (tmp_path / FOLDER).iterdir()
    path.write_bytes(content)
    with pytest.raises(ShelfError, match="which shelves") as caught:
        registered(tmp_path)
    assert caught.value.where == str(path)
    register(tmp_path, tmp_path / "one")
    assert registered(tmp_path) == [tmp_path / "one"]


def test_what_a_killed_process_left_counts_for_nothing(tmp_path: Path) -> None:
    register(tmp_path, tmp_path / "one")
    (tmp_path / FOLDER / "abc.123.part").write_bytes(b"/ha")
    assert registered(tmp_path) == [tmp_path / "one"]
