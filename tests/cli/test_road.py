"""The whole road of a package, as its publisher and its user walk it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import modelshelf
from modelshelf.package.elements import ELEMENTS
from tests.conftest import Finished, Shelf, write_onnx, write_package


def told(done: Finished, code: int = 0) -> Any:
    """The one value that a command with `--json` printed."""
    assert done.code == code, done.out + done.err
    assert done.out.count("\n") == 1
    assert done.err == ""
    return json.loads(done.out)


def test_from_a_folder_of_files_to_a_prediction_and_back(
    typed: Shelf, publisher: str, project: Path, tmp_path: Path
) -> None:
    shelf = typed
    name = f"{publisher}/road"
    folder = tmp_path / "package"
    folder.mkdir()
    write_onnx(folder / "small.onnx", 2.0)
    save_file({"factor": np.full((2,), 2.0, np.float32)}, folder / "weights.safetensors")

    told(shelf("init", name, str(folder), "--json"))
    manifest = folder / "shelf.toml"
    assert tomllib.loads(manifest.read_text())["package"]["name"] == name
    assert told(shelf("init", name, str(folder), "--json"), 1)["error"] == "Conflict"
    problems = told(shelf("check", str(folder), "--json"), 1)["problems"]
    assert {each["element"] for each in problems} == {"package.license", "package.task"}
    text = manifest.read_text().replace("# license", "license").replace("# task", "task")
    manifest.write_text(text.replace('"0.1.0"', '"1.0.0"'))

    checked = told(shelf("check", str(folder), "--json"))
    assert checked["ok"]
    assert told(shelf("publish", str(folder), "--dry-run", "--json"))["version"] == "1.0.0"
    assert shelf("info", name).code == 1
    published = told(shelf("publish", str(folder), "--json"))
    assert (published["version"], published["number"]) == ("1.0.0", 1)

    hits = told(shelf("search", "road", "--format", "onnx", "--json"))
    assert name in [hit["name"] for hit in hits["results"]]
    assert told(shelf("search", "road", "--license", "MIT", "--json"))["total"] == 0

    planned = told(shelf("install", name, "--dry-run", "--json"))
    assert planned["dry_run"]
    assert not (project / "shelf.lock").exists()
    installed = told(shelf("install", name, "--json"))
    assert installed["bytes_fetched"] == planned["bytes_to_fetch"] > 0
    nothing = {"dry_run": False, "changes": [], "bytes_fetched": 0, "mismatches": []}
    assert told(shelf("install", name, "--json")) == nothing
    assert told(shelf("install", "--json")) == nothing
    assert tomllib.loads((project / "shelf.toml").read_text())["dependencies"] == {name: "^1.0.0"}

    listed = told(shelf("list", "--json"))["packages"]
    assert [(each["name"], each["version"]) for each in listed] == [(name, "1.0.0")]
    model = modelshelf.load(name, shelf=project)
    x = np.array([[1, 2], [3, 4]], np.float32)
    outputs = model(x=x)
    np.testing.assert_array_equal(outputs["y"], x * 2)


def test_from_an_old_release_to_a_new_one_and_away(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path
) -> None:
    name = f"{publisher}/scale"
    old = write_package(tmp_path / "old", name=name)
    assert told(shelf("publish", str(old), "--json"))["number"] == 1
    assert shelf("install", name).code == 0
    assert told(shelf("outdated", "--json")) == []

    new = write_package(tmp_path / "new", name=name, version="1.1.0", factor=3.0)
    assert told(shelf("publish", str(new), "--json"))["number"] == 2
    rows = told(shelf("outdated", "--json"), 1)
    assert [(r["name"], r["current"], r["latest"], r["level"]) for r in rows] == [
        (name, "1.0.0", "1.1.0", "minor")
    ]
    assert told(shelf("install", "--json"))["changes"] == [], "a lock is kept"
    changes = told(shelf("upgrade", "--json"))["changes"]
    assert [(c["before"], c["after"], c["level"]) for c in changes] == [("1.0.0", "1.1.0", "minor")]
    x = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_array_equal(modelshelf.load(name, shelf=project)(x=x)["y"], x * 3)
    assert not (project / ".shelf" / name / "1.0.0").exists()

    changes = told(shelf("remove", name, "--json"))["changes"]
    assert [(c["before"], c["after"]) for c in changes] == [("1.1.0", None)]
    assert told(shelf("list", "--json")) == {"packages": []}
    assert not (project / ".shelf" / publisher).exists()
    with pytest.raises(modelshelf.ShelfError):
        modelshelf.load(name, shelf=project)


def test_info_tells_all_elements_and_how_each_is_known(
    shelf: Shelf, publisher: str, tmp_path: Path
) -> None:
    name = f"{publisher}/scale"
    assert shelf("publish", str(write_package(tmp_path / "package", name=name))).code == 0
    value = told(shelf("info", name, "--json"))
    assert list(value["elements"]) == [each.id for each in ELEMENTS]
    assert len(value["elements"]) == 33
    for each in value["elements"].values():
        assert set(each) == {"value", "known"}
        assert each["known"] in ("declared", "extracted", "observed", "verified", "absent")
        assert (each["value"] is None) == (each["known"] == "absent")
    knowns = {each["known"] for each in value["elements"].values()}
    assert {"declared", "extracted", "observed", "absent"} <= knowns
    assert told(shelf("info", f"{name}@1.0.0", "--json"))["version"] == "1.0.0"
    assert "Legal Information" in shelf("info", name).out


def test_check_tells_every_problem_with_its_place(
    shelf: Shelf, publisher: str, tmp_path: Path
) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    value = told(shelf("check", str(folder), "--json"))
    assert set(value) == {"ok", "problems", "completeness", "against", "golden"}
    assert (value["ok"], value["problems"]) == (True, [])
    assert set(value["completeness"]) == {"level", "known", "of", "missing"}

    text = (folder / "shelf.toml").read_text()
    text = text.replace('task = "other"', 'task = "image-clasification"\nlicence = "MIT"')
    text = text.replace('["large.onnx"]', '["larg.onnx"]')
    (folder / "shelf.toml").write_text(text)
    value = told(shelf("check", str(folder), "--json"), 1)
    assert set(value) == {"ok", "problems", "completeness", "against", "golden"}
    assert not value["ok"]
    for problem in value["problems"]:
        assert set(problem) == {"file", "line", "element", "message", "hint", "rule", "warning"}
    task = next(each for each in value["problems"] if each["element"] == "package.task")
    assert task["line"] == text.splitlines().index('task = "image-clasification"') + 1
    assert "image-classification" in task["hint"]
    assert any("licence" in each["message"] for each in value["problems"])


def test_declared_against_extracted_shows_both(
    shelf: Shelf, publisher: str, tmp_path: Path
) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    text = (folder / "shelf.toml").read_text().replace('["batch", 2]', '["batch", 3]', 1)
    (folder / "shelf.toml").write_text(text)
    problems = told(shelf("check", str(folder), "--json"), 1)["problems"]
    assert problems[0]["rule"] == "signatures"
    assert "3" in problems[0]["message"]
    assert "2" in problems[0]["message"]
    assert shelf("publish", str(folder)).code == 1


def test_files_are_hard_links_to_the_store(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    name = f"{publisher}/scale"
    assert shelf("publish", str(write_package(tmp_path / "package", name=name))).code == 0
    assert shelf("install", name, "--variant", "*").code == 0
    store = Path(user_env["MODELSHELF_HOME"]) / "store" / "files"
    for path in (project / ".shelf" / name / "1.0.0").glob("*.onnx"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.samefile(store / digest[:2] / digest)
        assert path.stat().st_mode & 0o222 == 0, "what is installed is not written to by accident"


def test_load_example_is_a_program_that_runs(
    shelf: Shelf, publisher: str, project: Path, tmp_path: Path, user_env: dict[str, str]
) -> None:
    import subprocess
    import sys

    name = f"{publisher}/scale"
    assert shelf("publish", str(write_package(tmp_path / "package", name=name))).code == 0
    assert shelf("install", name).code == 0
    program = shelf("load-example", name).out
    done = subprocess.run(
        [sys.executable, "-"], input=program, cwd=project, env=user_env,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "y float32" in done.stdout
