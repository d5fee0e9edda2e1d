"""Looking after the store, from the command line: gc, du, verify, repair, pin."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shelf, write_package

DAY = 24 * 3600


@pytest.fixture
def name(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """A package with two releases, whose shelf.toml takes either."""
    name = f"{publisher}/scale"
    for version, factor in (("1.0.0", 2.0), ("1.1.0", 3.0)):
        folder = write_package(tmp_path / version, name=name, version=version, factor=factor)
        assert shelf("publish", str(folder)).code == 0
    return name


@pytest.fixture
def home(user_env: dict[str, str]) -> Path:
    return Path(user_env["MODELSHELF_HOME"])


def told(shelf: Shelf, *arguments: str, code: int = 0, cwd: Path | None = None) -> dict[str, Any]:
    done = shelf(*arguments, "--json", cwd=cwd)
    assert done.code == code, done.out + done.err
    value: dict[str, Any] = json.loads(done.out)
    return value


def stored(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "store" / "files").glob("*/*"))


def released(project: Path, name: str, version: str = "1.0.0") -> Path:
    return project / ".shelf" / name / version


def damage(path: Path) -> None:
    """Change one byte in place: every hard link of the file changes with it."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    path.chmod(mode)


def test_gc_keeps_what_shelves_and_their_generations_need(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", f"{name}@=1.0.0").code == 0
    assert shelf("install", f"{name}@=1.1.0").code == 0
    before = stored(home)
    assert told(shelf, "gc")["files"] == []
    assert stored(home) == before
    assert shelf("rollback").code == 0
    assert told(shelf, "verify", "--store")["wrong"] == []


def test_gc_takes_what_a_shelf_that_is_gone_needed(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", name).code == 0
    before = stored(home)
    shutil.rmtree(project)
    project.mkdir()
    (project / "shelf.toml").touch()
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shelf.toml").touch()
    project.rename(project.parent / "moved")
    found = told(shelf, "gc", "--dry-run", cwd=elsewhere)
    assert (found["files"], found["gone_shelves"]) == (before, [str(project)])
    assert stored(home) == before
    done = shelf("gc", cwd=elsewhere)
    assert "is gone and forgotten" in done.out
    assert "Freed" in done.out
    assert stored(home) == []
    assert told(shelf, "gc", cwd=elsewhere)["gone_shelves"] == []


@pytest.mark.parametrize("damaged", ["shelf.lock", ".shelf/next.lock"])
def test_gc_guesses_nothing(
    damaged: str, shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", name).code == 0
    before = stored(home)
    (project / damaged).write_text("packages = 7", encoding="utf-8")
    done = shelf("gc", cwd=project.parent)
    assert done.code == 1
    assert os.fspath(project) in done.err
    assert Path(damaged).name in done.err
    assert stored(home) == before


def test_gc_takes_old_downloads_and_the_locks_of_killed_ones(shelf: Shelf, home: Path) -> None:
    folder = home / "store" / "partial"
    folder.mkdir(parents=True)
    for each, age in (("old", 2 * DAY), ("orphan.lock", 2 * DAY), ("young", 0)):
        (folder / each).write_bytes(b"begun" if age else b"young")
        now = (folder / each).stat().st_mtime
        os.utime(folder / each, (now - age, now - age))
    found = told(shelf, "gc")
    assert (found["partials"], found["freed_bytes"]) == (["old"], 5)
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_a_pin_keeps_a_whole_release(shelf: Shelf, name: str, home: Path) -> None:
    kept = told(shelf, "pin", f"{name}@1.0.0")
    assert kept["version"] == "1.0.0"
    assert kept["bytes_fetched"] > 0
    assert told(shelf, "pin", f"{name}@1.0.0")["bytes_fetched"] == 0
    before = stored(home)
    assert len(before) >= 4  # three models and the manifest
    assert told(shelf, "gc")["files"] == []
    assert [each["version"] for each in told(shelf, "pin", "--list")["pins"]] == ["1.0.0"]
    assert shelf("pin", "--drop", f"{name}@1.1.0").code == 1
    assert told(shelf, "pin", "--drop", name) == {"dropped": [f"{name}@1.0.0"]}
    assert told(shelf, "gc")["files"] == before
    assert stored(home) == []


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ([], 2, "one thing"),
        (["--list", "acme/scale"], 2, "one thing"),
        (["nobody/nothing"], 1, "no package"),
        (["{name}@9.9.9"], 1, "no release 9.9.9"),
        (["--drop", "acme/scale"], 1, "not pinned"),
    ],
)
def test_pins_that_cannot_be(
    arguments: list[str], code: int, word: str, shelf: Shelf, name: str
) -> None:
    done = shelf("pin", *(each.format(name=name) for each in arguments))
    assert done.code == code
    assert word in done.err


def test_a_pin_that_cannot_be_read_stops_gc(shelf: Shelf, name: str, home: Path) -> None:
    assert shelf("pin", name).code == 0
    (home / "pins" / name / "1.1.0.lock").write_text("?", encoding="utf-8")
    done = shelf("gc")
    assert done.code == 1
    assert "1.1.0.lock" in done.err
    assert len(stored(home)) >= 4


def test_du_tells_who_takes_what(shelf: Shelf, name: str, home: Path, project: Path) -> None:
    assert shelf("install", f"{name}@=1.0.0").code == 0
    assert shelf("pin", f"{name}@1.1.0").code == 0
    (home / "store" / "partial" / "begun").write_bytes(b"12345")
    found = told(shelf, "du")
    uses = {each["version"]: each for each in found["releases"]}
    assert uses["1.0.0"]["roots"] == [str(project)]
    assert uses["1.1.0"]["roots"] == [f"pin {name}@1.1.0"]
    assert all(0 < each["unique_bytes"] <= each["bytes"] for each in uses.values())
    total = sum(path.stat().st_size for path in (home / "store" / "files").glob("*/*"))
    assert (found["total_bytes"], found["partial_bytes"]) == (total + 5, 5)
    assert (found["unneeded_bytes"], found["gc_bytes"]) == (0, 0)
    (home / "pins" / name / "1.1.0.lock").unlink()
    found = told(shelf, "du")
    assert found["gc_bytes"] == found["unneeded_bytes"] > 0
    assert told(shelf, "gc")["freed_bytes"] == found["gc_bytes"]
    text = shelf("du").out
    assert "shelf gc would free  0 B" in text


def test_verify_tells_everything_and_repair_mends_it(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", name, "--variant", "*").code == 0
    assert told(shelf, "verify", "--store")["wrong"] == []
    folder = released(project, name, "1.1.0")
    damage(folder / "small.onnx")
    (folder / "large.onnx").unlink()
    (folder / ".release.json").write_text("{}", encoding="utf-8")
    found = told(shelf, "verify", "--store", code=5)
    kinds = [(each["kind"], Path(each["where"]).name) for each in found["wrong"]]
    assert ("damaged", "small.onnx") in kinds
    assert ("missing", "large.onnx") in kinds
    assert ("description", ".release.json") in kinds
    assert sum(kind == "damaged" for kind, _ in kinds) == 2  # the store's name of the same file
    assert all(each["hint"].startswith("run: shelf repair") for each in found["wrong"])
    assert shelf("repair").code == 0
    assert told(shelf, "verify", "--store")["wrong"] == []
    assert (folder / "small.onnx").samefile(
        home / "store" / "files" / (d := digest(folder / "small.onnx"))[:2] / d
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("healthy", ["nowhere", "shelf", "shared"])
def test_repair_offline_takes_what_is_healthy_elsewhere(
    healthy: str, shelf: Shelf, name: str, home: Path, project: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, user_env: dict[str, str],
) -> None:  # fmt: skip
    assert shelf("install", name).code == 0
    path = released(project, name, "1.1.0") / "small.onnx"
    want = digest(path)
    if healthy == "shelf":
        other = tmp_path / "other"
        other.mkdir()
        (other / "shelf.toml").touch()
        assert shelf("install", name, cwd=other).code == 0
        copy = released(other, name, "1.1.0") / "small.onnx"
        content = copy.read_bytes()
        copy.unlink()
        copy.write_bytes(content)
    if healthy == "shared":
        shutil.copytree(home / "store", tmp_path / "shared")
        user_env["MODELSHELF_SHARED_STORE"] = str(tmp_path / "shared")
    damage(path)
    done = shelf("repair", "--offline")
    if healthy == "nowhere":
        assert done.code == 6
        assert "small.onnx" in done.err + done.out
        assert shelf("repair").code == 0
    else:
        assert done.code == 0, done.err
    assert digest(path) == want
    assert told(shelf, "verify", "--store")["wrong"] == []


def test_repair_of_the_store_mends_every_shelf_and_throws_away_the_rest(
    shelf: Shelf, name: str, home: Path, project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "shelf.toml").touch()
    assert shelf("install", name, cwd=other).code == 0
    assert shelf("pin", f"{name}@1.0.0").code == 0
    loose = home / "store" / "files" / "00" / ("0" * 64)
    loose.parent.mkdir(exist_ok=True)
    loose.write_bytes(b"not what its name says")
    for path in (home / "store" / "files").glob("*/*"):
        damage(path)
    assert told(shelf, "verify")["wrong"] == []  # this shelf is empty
    assert len(told(shelf, "verify", "--store", code=5)["wrong"]) == len(stored(home))
    assert shelf("repair", "--store").code == 0
    assert not loose.exists()
    for folder in (project, other):
        assert told(shelf, "verify", "--store", cwd=folder)["wrong"] == []


def test_gc_forgets_old_generations_only_when_it_is_told_to(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        assert shelf("install", f"{name}@={version}").code == 0
    before = stored(home)
    expected = told(shelf, "gc", "--dry-run", "--keep-generations", "1")["files"]
    assert stored(home) == before
    assert expected
    assert told(shelf, "gc")["files"] == []
    found = told(shelf, "gc", "--keep-generations", "1")
    assert (found["files"], found["generations"]) == (expected, 1)
    assert told(shelf, "verify", "--store")["wrong"] == []
    assert shelf("rollback").code == 1
    assert shelf("gc", "--keep-generations", "0").code == 2


def test_a_generation_that_cannot_be_read_stops_gc(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", name).code == 0
    (generation,) = (project / ".shelf" / "generations").iterdir()
    generation.write_text("{", encoding="utf-8")
    done = shelf("gc", cwd=project.parent)
    assert done.code == 1
    assert os.fspath(generation) in done.err


def test_what_a_pin_lacks_is_found_and_brought(shelf: Shelf, name: str, home: Path) -> None:
    assert shelf("pin", name).code == 0
    before = stored(home)
    for path in (home / "store" / "files").glob("*/*"):
        path.unlink()
    assert told(shelf, "verify")["wrong"] == []
    wrong = told(shelf, "verify", "--store", code=5)["wrong"]
    assert sorted(each["sha256"] for each in wrong) == before
    assert shelf("repair", "--store", "--offline").code == 6
    assert shelf("repair", "--store").code == 0
    assert stored(home) == before
    assert told(shelf, "verify", "--store")["wrong"] == []


def test_verify_notes_what_a_killed_command_left(
    shelf: Shelf, name: str, home: Path, project: Path
) -> None:
    assert shelf("install", name).code == 0
    shutil.copy(project / "shelf.lock", project / ".shelf" / "next.lock")
    (home / "store" / "partial" / "begun").write_bytes(b"begun")
    (project / ".shelf" / ".stamp.part").write_text("half")
    found = told(shelf, "verify", "--store")
    assert found["wrong"] == []
    assert [each["kind"] for each in found["notes"]] == ["begun", "leftover", "leftover"]
    assert told(shelf, "gc")["partials"] == []
    for path in (project / ".shelf" / "next.lock", home / "store" / "partial" / "begun"):
        os.utime(path, (1000, 1000))
    assert told(shelf, "gc")["partials"] == ["begun"]
    assert shelf("install", f"{name}@=1.0.0").code == 0
    assert told(shelf, "verify", "--store")["notes"] == []
