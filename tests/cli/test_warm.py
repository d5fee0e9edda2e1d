"""The warm no-op says "nothing to do" only where nothing is to be done."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.cli import warm

NAME = "acme/scale"


@pytest.fixture
def stamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf of one package whose stamp fits; the working directory is in it."""
    root = tmp_path / "a project"
    files = [root / "shelf.toml", root / "shelf.lock", root / ".shelf" / "some file.onnx"]
    (root / ".shelf").mkdir(parents=True)
    for path in files:
        path.write_text(path.name, encoding="utf-8")
    lines = [f"{path.stat().st_mtime_ns} {path.stat().st_size} {path}" for path in files]
    (root / ".shelf" / "stamp").write_text("\n".join([*lines, f"={NAME}"]), encoding="utf-8")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("given", [[], [NAME]])
def test_all_is_there(given: list[str], stamped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert warm.answered(given)
    assert capsys.readouterr().out == "Nothing to do: everything is installed.\n"


def test_a_pyproject_counts_where_it_asks_for_models(stamped: Path) -> None:
    below = stamped / "below"
    below.mkdir()
    (below / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    with contextlib.chdir(below):
        assert warm.answered([])
        (below / "pyproject.toml").write_text("[tool.modelshelf]\n", encoding="utf-8")
        assert not warm.answered([])


@pytest.mark.parametrize(
    "given",
    [
        ["acme/other"], [NAME, "acme/other"], [f"{NAME}@^2"], ["--dry-run"], ["--help"],
        [NAME, "--variant", "large"], ["--registry", "http://x"], ["--quiet"], ["--json"], [NAME, "--json"], ["-h"], [""],
    ],
)  # fmt: skip
def test_what_is_asked_is_more(
    given: list[str], stamped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not warm.answered(given)
    assert capsys.readouterr().out == ""


def touched(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.unlink()
    path.write_text(text, encoding="utf-8")


def longer(path: Path) -> None:
    stat = path.stat()
    path.write_text(path.read_text(encoding="utf-8") + "!", encoding="utf-8")
    import os

    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("harm", [touched, longer, Path.unlink])
@pytest.mark.parametrize("path", ["shelf.toml", "shelf.lock", ".shelf/some file.onnx"])
def test_a_file_is_not_as_it_was(harm: Callable[[Path], None], path: str, stamped: Path) -> None:
    harm(stamped / path)
    assert not warm.answered([])


@pytest.mark.parametrize("stamp", [b"", b"\xff\xfe", b"nonsense", b"1 2", b"x y z", b"=acme/scale"])
def test_a_stamp_that_is_none(stamp: bytes, stamped: Path) -> None:
    (stamped / ".shelf" / "stamp").write_bytes(stamp)
    assert not warm.answered([])


def test_there_is_no_stamp(stamped: Path) -> None:
    (stamped / ".shelf" / "stamp").unlink()
    assert not warm.answered([])


def test_from_a_folder_below(stamped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (stamped / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(stamped / "src" / "deep")
    assert warm.answered([NAME])


def test_the_nearest_shelf_counts(stamped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = stamped / "inner"
    inner.mkdir()
    (inner / "shelf.toml").touch()
    monkeypatch.chdir(inner)
    assert not warm.answered([])


def test_a_stamp_moved_with_its_project_counts_only_where_it_was_made(
    stamped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "moved"
    stamped.rename(moved)
    monkeypatch.chdir(moved)
    assert not warm.answered([])


def test_it_imports_next_to_nothing(stamped: Path) -> None:
    program = (
        "import sys; before = set(sys.modules); from modelshelf.cli import main; "
        "assert main(['install']) == 0; print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=stamped, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {name for name in loaded if not name.startswith("modelshelf")} <= {"__future__"}
