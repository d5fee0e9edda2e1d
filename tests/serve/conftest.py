"""A package that is installed, without a process for each command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf, run_here, write_package


@pytest.fixture
def shelf(project: Path, user_env: dict[str, str]) -> Shelf:
    """`shelf("install", "acme/scale")` in the project, as the user, without a process of its own."""

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_here(*arguments, cwd=cwd or project, env=user_env, stdin=stdin)

    return run


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
