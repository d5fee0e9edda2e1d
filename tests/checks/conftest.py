"""A package that passes every check, changed one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from modelshelf.checks import Staged, stage
from modelshelf.package.manifest import parse


class Writes(Protocol):
    """What the fixture `package` gives."""

    def __call__(self, folder: Path) -> Path: ...


@pytest.fixture
def folder(package: Writes, tmp_path: Path) -> Path:
    """A good package."""
    return package(tmp_path / "package")


@pytest.fixture
def staged(folder: Path) -> Callable[..., Staged]:
    """`staged(old, new, ...)`: the package, with texts of its manifest replaced."""

    def build(*changes: str) -> Staged:
        text = (folder / "shelf.toml").read_text(encoding="utf-8")
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "shelf.toml").write_text(text, encoding="utf-8")
        return stage(folder, parse(text))

    return build
