"""Manifest: the file that is published says what the record says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.agreement.manifest import check

Build = Callable[..., Staged]


def test_the_manifest_is_the_record(staged: Build, folder: Path) -> None:
    release = staged()
    text = (folder / "shelf.toml").read_text(encoding="utf-8")
    (folder / "shelf.toml").write_text(f"# another comment\n{text}", encoding="utf-8")
    assert list(check(release)) == []


@pytest.mark.parametrize(
    "other", [b"", b"\xff", b"[package]", b'registry = "https://other.example"']
)
def test_another_manifest_is_refused(staged: Build, folder: Path, other: bytes) -> None:
    release = staged()
    (folder / "shelf.toml").write_bytes(other)
    assert list(check(release))


def test_one_other_word_is_refused(staged: Build, folder: Path) -> None:
    release = staged()
    text = (folder / "shelf.toml").read_text(encoding="utf-8").replace("Apache-2.0", "MIT")
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    (problem,) = check(release)
    assert problem.file == "shelf.toml"
