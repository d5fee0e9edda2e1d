"""Two names change places at once, where the system can."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modelshelf.store.exchange import exchanged


def test_a_folder_and_a_link_change_places(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    (folder / "file").write_text("here", encoding="utf-8")
    link.symlink_to(tmp_path / "elsewhere")
    if not exchanged(folder, link):
        assert not sys.platform.startswith("linux")
        pytest.skip("this system cannot")
    assert folder.is_symlink()
    assert (link / "file").read_text(encoding="utf-8") == "here"


def test_where_there_is_nothing_nothing_changes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert not exchanged(tmp_path / "one", tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
