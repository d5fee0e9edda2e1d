"""The command line inside this process: a start of Python for each command would take too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Finished, Shelf, run_here, run_shelf


@pytest.fixture
def shelf(project: Path, user_env: dict[str, str]) -> Shelf:
    """`shelf("install", "acme/scale")` in the project, as the user, without a process of its own."""

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_here(*arguments, cwd=cwd or project, env=user_env, stdin=stdin)

    return run


@pytest.fixture
def typed(project: Path, user_env: dict[str, str]) -> Shelf:
    """The same in a process of its own, as it is typed."""

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_shelf(*arguments, cwd=cwd or project, env=user_env, stdin=stdin)

    return run
