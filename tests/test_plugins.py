"""Everything a folder offers: its modules in order, then entry points of other distributions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.plugins import module_names, offered


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package on disk with three public modules, of which two offer something."""
    folder = tmp_path / "roomoftests"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "b.py").write_text('THING = "b"\n')
    (folder / "a.py").write_text('THING = "a"\n')
    (folder / "helps.py").write_text("")
    (folder / "_private.py").write_text("raise AssertionError('imported')\n")
    (folder / "notes.txt").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "roomoftests"
    for name in [name for name in sys.modules if name.split(".")[0] == "roomoftests"]:
        del sys.modules[name]


def _distribution(folder: Path, entry_points: str) -> None:
    info = folder / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    (folder / "otherthings.py").write_text('FIRST, SECOND = "first", "second"\n')


def test_names_are_sorted_and_nothing_is_imported(room: str) -> None:
    assert module_names(room) == ["a", "b", "helps"]
    assert f"{room}.a" not in sys.modules


def test_what_a_folder_offers(room: str) -> None:
    assert list(offered(room, "THING")) == ["a", "b"]
    assert list(offered(room, "NOTHING")) == []


def test_other_distributions_come_last_by_name(room: str, tmp_path: Path) -> None:
    _distribution(tmp_path, f"[{room}]\nz = otherthings:FIRST\ny = otherthings:SECOND\n")
    assert list(offered(room, "THING")) == ["a", "b", "second", "first"]
    sys.modules.pop("otherthings", None)


def test_a_room_that_is_not_there() -> None:
    with pytest.raises(ModuleNotFoundError):
        module_names("modelshelf.nosuchroom")
