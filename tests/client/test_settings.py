"""Settings: where the stores lie; what is wrong in the file is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from modelshelf.client.settings import keep_store, keep_token, settings
from modelshelf.errors import Invalid, NotFound


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of a user whose environment says nothing else."""
    for name in [each for each in os.environ if each.startswith("MODELSHELF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODELSHELF_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_without_a_word_the_store_is_in_the_home(home: Path) -> None:
    found = settings()
    assert (found.store, found.shared) == (home / "store", ())
    assert found.files().root == home / "store"


def test_shared_stores_come_from_the_environment_else_from_the_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "settings.json").write_text(json.dumps({"shared": ["/srv/a", "/srv/b", "/srv/a"]}))
    assert settings().shared == (Path("/srv/a"), Path("/srv/b"))
    monkeypatch.setenv("MODELSHELF_SHARED_STORE", os.pathsep.join(["/srv/c", "", "~/d"]))
    assert settings().shared == (Path("/srv/c"), Path("~/d").expanduser())
    assert settings().files().shared == settings().shared
    monkeypatch.setenv("MODELSHELF_SHARED_STORE", "")
    assert settings().shared == ()


def test_a_moved_store_and_a_token_are_kept_beside_each_other(home: Path, tmp_path: Path) -> None:
    keep_store(home, tmp_path / "big", home / "store")
    keep_token(home, "http://one", "secret")
    found = settings()
    assert (found.store, found.moved_from) == (tmp_path / "big", home / "store")
    assert (found.registry, found.token) == ("http://one", "secret")
    keep_store(home, tmp_path / "bigger", None)
    assert (settings().store, settings().moved_from) == (tmp_path / "bigger", None)
    assert settings().token == "secret"
    assert (home / "settings.json").stat().st_mode & 0o777 == 0o600


def test_a_store_whose_disk_is_gone_is_not_begun_anew(home: Path, tmp_path: Path) -> None:
    keep_store(home, tmp_path / "unplugged", None)
    with pytest.raises(NotFound, match="moved to"):
        settings().files()
    assert not (tmp_path / "unplugged").exists()


@pytest.mark.parametrize(
    "kept", [{"shared": 1}, {"shared": [1]}, {"store": "relative"}, {"store": 7}]
)
def test_what_cannot_be_meant_is_told(home: Path, kept: dict[str, object]) -> None:
    (home / "settings.json").write_text(json.dumps(kept))
    with pytest.raises(Invalid, match="settings"):
        settings()
