"""Two machines, two versions of Python: the same lock, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Shelf, write_package

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.13", "3.12", "3.14")


def another_python() -> str | None:
    """An interpreter of another minor version than this one, that can make environments."""
    named = [shutil.which(f"python{version}") for version in VERSIONS]
    kept = [
        str(path)
        for version in VERSIONS
        for path in sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    ]
    for found in filter(None, [*named, *kept]):
        asked = subprocess.run(
            [found, "-c", "import sys, venv; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0 and asked.stdout.strip() != str(sys.version_info[:2]):
            return found
    return None


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`shelf` installed under another Python."""
    found = another_python()
    if found is None:
        pytest.skip("there is no second version of Python on this machine")
    folder = tmp_path_factory.mktemp("another")
    subprocess.run([found, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(ROOT)], check=True)
    return folder / "bin" / "shelf"


def test_the_lock_is_the_same_under_another_python(
    other: Path,
    shelf: Shelf,
    publisher: str,
    tmp_path: Path,
    project: Path,
    user_env: dict[str, str],
) -> None:
    for name, needs in (("norm", {}), ("scale", {f"{publisher}/norm": "^1.0"})):
        folder = write_package(tmp_path / name, name=f"{publisher}/{name}", dependencies=needs)
        assert shelf("publish", str(folder)).code == 0
    text = f'[environments.phone]\npython = "3.9"\n\n[environments.server]\nhardware = []\n\n[dependencies]\n"{publisher}/scale" = "^1"\n'
    (project / "shelf.toml").write_text(text, encoding="utf-8")
    assert shelf("lock").code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "shelf.toml").write_text(text, encoding="utf-8")
    env = user_env | {"MODELSHELF_HOME": str(tmp_path / "another home")}
    subprocess.run([str(other), "lock"], cwd=elsewhere, env=env, check=True, capture_output=True)
    assert (elsewhere / "shelf.lock").read_bytes() == (project / "shelf.lock").read_bytes()
    subprocess.run(
        [str(other), "sync", "--frozen", "--environment", "phone"],
        cwd=elsewhere, env=env, check=True, capture_output=True,
    )  # fmt: skip
