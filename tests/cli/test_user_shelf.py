"""The user's own shelf, outside all projects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelshelf import load
from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder in no project."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def test_a_package_of_the_user(
    shelf: Shelf,
    release: Publish,
    outside: Path,
    project: Path,
    user_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = release("scale", "1.0.0")
    succeeded(shelf("install", "--user", name, cwd=outside))
    assert list(outside.iterdir()) == []
    assert versions(shelf, "--user", cwd=outside) == {"scale": "1.0.0"}
    assert versions(shelf, cwd=project) == {}
    for command in (("tree", "--user"), ("why", name, "--user"), ("tree", name, "--user")):
        assert name in succeeded(shelf(*command, cwd=outside)).out
    monkeypatch.setenv("MODELSHELF_HOME", user_env["MODELSHELF_HOME"])
    monkeypatch.setenv("MODELSHELF_ALERTS", "0")
    monkeypatch.chdir(outside)
    assert load(name)(x=np.ones((1, 2), np.float32))["y"].tolist() == [[2.0, 2.0]]

    release("scale", "1.1.0", factor=3.0)
    done = shelf("outdated", "--user", "--json", cwd=outside)
    assert (done.code, json.loads(done.out)[0]["wanted"]) == (1, "1.1.0")
    succeeded(shelf("upgrade", "--user", cwd=outside))
    succeeded(shelf("lock", "--check", "--user", cwd=outside))
    succeeded(shelf("sync", "--locked", "--user", cwd=outside))
    succeeded(shelf("rollback", "--user", cwd=outside))
    assert versions(shelf, "--user", cwd=outside) == {"scale": "1.0.0"}
    succeeded(shelf("gc", cwd=outside))
    succeeded(shelf("sync", "--user", "--frozen", "--offline", cwd=outside))
    succeeded(shelf("remove", "--user", name, cwd=outside))
    assert versions(shelf, "--user", cwd=outside) == {}
    assert list(outside.iterdir()) == []
