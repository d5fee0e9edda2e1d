"""`shelf export`, and what the command line says of Python needs that do not hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shelf, write_package


def publish(shelf: Shelf, folder: Path, name: str, requires: str) -> None:
    write_package(folder, name=name)
    manifest = folder / "shelf.toml"
    text = manifest.read_text(encoding="utf-8").replace(
        "[signatures.scale.inputs.x]", f"[requires]\n{requires}\n[signatures.scale.inputs.x]"
    )
    manifest.write_text(text, encoding="utf-8")
    done = shelf("publish", str(folder))
    assert done.code == 0, done.err


@pytest.fixture
def names(shelf: Shelf, publisher: str, tmp_path: Path) -> tuple[str, str]:
    """Two packages on the registry: one needs an old NumPy, the other a new one."""
    old, new = f"{publisher}/old", f"{publisher}/new"
    publish(shelf, tmp_path / "old", old, 'python = ["numpy<2"]')
    publish(shelf, tmp_path / "new", new, 'python = ["numpy>=2", "nowhere-to-be-found"]')
    return old, new


@pytest.mark.parametrize("format_name", ["requirements", "cyclonedx", "spdx"])
def test_the_file_is_what_is_shown(
    format_name: str, names: tuple[str, str], shelf: Shelf, project: Path
) -> None:
    assert shelf("install", names[1]).code == 0
    shown = shelf("export", format_name)
    assert shown.code == 0, shown.err
    assert shelf("export", format_name, "--output", "out").code == 0
    assert (project / "out").read_text(encoding="utf-8") == shown.out
    told = json.loads(shelf("export", format_name, "--json").out)
    assert (told["text"], told["packages"]) == (shown.out, 1)
    assert names[1].partition("/")[2] in shown.out


def test_what_is_lacking_is_told_by_install_and_sync(names: tuple[str, str], shelf: Shelf) -> None:
    said = f"{names[1]} 1.0.0 needs nowhere-to-be-found; nowhere-to-be-found is not installed"
    for command in (("install", names[1]), ("sync",)):
        done = shelf(*command, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["mismatches"] == [said]


def test_models_that_cannot_share_a_python_are_not_installed(
    names: tuple[str, str], shelf: Shelf, project: Path
) -> None:
    assert shelf("install", names[0]).code == 0
    before = (project / "shelf.lock").read_bytes()
    done = shelf("install", names[1])
    assert done.code == 3
    assert f"works only without {names[1]} (numpy<2 against numpy>=2)" in done.err
    assert (project / "shelf.lock").read_bytes() == before


def test_an_export_that_nobody_knows(shelf: Shelf) -> None:
    done = shelf("export", "cyclone")
    assert done.code == 2
    assert "did you mean `cyclonedx`?" in done.err
