"""Paths of files: what may be written below a user's folder, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.package.path import colliding, unsafe_path


@pytest.mark.parametrize(
    "path",
    [
        "a", "model.onnx", "a/b/c.bin", ".hidden", "a-b_c.d+e@f", "größe.txt", "模型.onnx", "a b.txt",
        "..a", "a..b", "a/.release.json", "console", "nullable.txt", "com10", "a" * 255, "/".join(["a" * 100] * 5),
    ],
    ids=str,
)  # fmt: skip
def test_plain_paths_are_safe(path: str) -> None:
    assert unsafe_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/etc/passwd", "//host/share", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b",
        "a//b", "a/", "a\\b", "..\\a", "C:/a", "c:a", "a:b", "a*", "a?", "a|b", "<a>", 'a"b', "a\x00b",
        "a\nb", "a\x1b[31m", "a\x7f", "a.", "a ", " a", "a/ b", "a/b./c", "...", "con", "CON", "Nul.txt",
        "a/aux/b", "com1", "LPT9.bin", "e\u0301.txt", "\ud800", "a" * 256, "a/" * 256 + "a", "é" * 128,
        ".release.json", ".Release.JSON", ".release.json/x", "a\u202eb", "a\u2028b", "a\x9bb",
    ],
    ids=repr,
)  # fmt: skip
def test_paths_that_some_system_takes_otherwise_are_refused(path: str) -> None:
    assert unsafe_path(path)


@given(st.text(alphabet="ab./\\: ~\x00é-", max_size=12))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    if unsafe_path(path) is None:
        assert ".." not in PurePosixPath(path).parts
        assert not PurePosixPath(path).is_absolute()
        assert not PureWindowsPath(path).drive
        assert str(PurePosixPath(path)) == path


@pytest.mark.parametrize(
    ("paths", "pairs"),
    [
        (["a", "b"], []),
        (["a/b", "a/c", "ab"], []),
        (["A", "a"], [("A", "a")]),
        (["straße", "STRASSE"], [("STRASSE", "straße")]),
        (["a", "a/b"], [("a", "a/b")]),
        (["A/b/c", "a"], [("a", "A/b/c")]),
        (["a/b", "a/b/c", "x"], [("a/b", "a/b/c")]),
    ],
)
def test_files_that_cannot_lie_together(paths: list[str], pairs: list[tuple[str, str]]) -> None:
    assert colliding(paths) == pairs
