"""A package that is installed, without a process for each command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Shelf, write_package


@pytest.fixture
def installed(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """The name of a package of which all variants and formats but one are on the project's shelf."""
    name = f"{publisher}/scale"
    for command in (
        ("publish", str(write_package(tmp_path / "package", name=name))),
        ("install", name, "--variant", "*"),
    ):
        done = shelf(*command)
        assert done.code == 0, done.err
    return name
