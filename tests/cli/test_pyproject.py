"""`[tool.modelshelf]` in a `pyproject.toml` instead of a `shelf.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.conftest import Shelf
from tests.publishing import Publish, succeeded, versions

TEXTS = {
    "empty table": '# mine\n[project]\nname = "x"  # the name\n\n[tool.modelshelf]\n',
    "dependencies": "# mine\n[tool.modelshelf.dependencies]\n# models\n\n[tool.ruff]\nline-length = 100 # wide\n",
    "dotted": '# mine\n[tool]\nmodelshelf.resolution.min-release-age = "0 days" # all\n[project]\nname = "x"\n',
    "inline": "# mine\n[tool]\nmodelshelf = { dependencies = {} } # here\n",
    "between": '# mine\n[tool.a]\nx = 1\n[tool.modelshelf]\nregistries = [] # none\n[project]\nname = "x"\n[tool.b]\ny = 2 # two\n',
}


@pytest.fixture(params=TEXTS)
def file(request: pytest.FixtureRequest, project: Path) -> Path:
    """A project's pyproject.toml; there is no shelf.toml."""
    (project / "shelf.toml").unlink()
    path = project / "pyproject.toml"
    path.write_text(TEXTS[request.param], encoding="utf-8")
    return path


def test_everything_works_as_with_shelf_toml(
    file: Path, shelf: Shelf, release: Publish, project: Path
) -> None:
    before = file.read_text()
    name = release("scale", "1.0.0")
    succeeded(shelf("install", f"{name}[variant=large]"))
    assert not (project / "shelf.toml").exists()
    text = file.read_text()
    wanted = tomllib.loads(text)["tool"]["modelshelf"]["dependencies"]
    assert wanted == {name: {"version": "^1.0.0", "variants": ["large"]}}
    for line in before.splitlines():
        if "#" in line:
            assert line.split("#")[1] in text
    release("scale", "2.0.0", factor=3.0)
    succeeded(shelf("upgrade", "--major"))
    assert versions(shelf) == {"scale": "2.0.0"}
    assert name in succeeded(shelf("why", name)).out
    succeeded(shelf("rollback"))
    assert versions(shelf) == {"scale": "1.0.0"}
    assert file.read_text() == text
    succeeded(shelf("sync", "--locked"))
    succeeded(shelf("remove", name))
    assert tomllib.loads(file.read_text())["tool"]["modelshelf"].get("dependencies", {}) == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[project]\nname = "x"\n[tool.modelshelf.dependencies]\n"acme/x" = "not a range"\n', 4),
        ("[tool.modelshelf.environments.a]\n\n\nhardwear = []\n", 4),
        ("[tool.modelshelf]\n[[[\n", 2),
        ("[tool]\nmodelshelf = 3\n[tool.modelshelf.x]\n", 3),
    ],
)
def test_problems_name_the_file_and_the_line(
    text: str, line: int, shelf: Shelf, project: Path
) -> None:
    (project / "shelf.toml").unlink()
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    done = shelf("sync")
    assert done.code == 1, done.err
    assert f"pyproject.toml:{line}" in done.err
    assert (project / "pyproject.toml").read_text() == text


def test_other_tools_tables_are_no_shelf(shelf: Shelf, project: Path, tmp_path: Path) -> None:
    below = project / "below"
    below.mkdir()
    (below / "pyproject.toml").write_text(
        '[tool.modelshelf-extra]\nx = 1\n[project]\nname = "[tool.modelshelf]"\n', encoding="utf-8"
    )
    succeeded(shelf("sync", cwd=below))
    assert not (below / ".shelf").exists()


def test_a_shelf_toml_goes_before(shelf: Shelf, release: Publish, project: Path) -> None:
    name = release("scale", "1.0.0")
    text = f'[tool.modelshelf.dependencies]\n"{name}" = "^9"\n'
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    succeeded(shelf("install", name))
    assert name in (project / "shelf.toml").read_text()
    assert (project / "pyproject.toml").read_text() == text
