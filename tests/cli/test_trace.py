"""`shelf trace`: a program's packages go into `shelf.toml`, the rest is listed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished, Shelf, write_package

LOAD = """\
import sys, modelshelf
model = modelshelf.load({arguments})
print("printed", *sys.argv[1:])
"""


@pytest.fixture
def name(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """A published package, with another that needs it."""
    name = f"{publisher}/scale"
    above = write_package(
        tmp_path / "above", name=f"{publisher}/above", dependencies={name: "^1.0"}
    )
    for folder in (write_package(tmp_path / "package", name=name), above):
        assert shelf("publish", str(folder)).code == 0
    return name


@pytest.fixture
def installed(name: str, typed: Shelf, project: Path) -> str:
    """On the shelf because another one needs it, not because it is wanted."""
    done = typed("install", f"{name.partition('/')[0]}/above", "--variant", "*")
    assert done.code == 0, done.err
    return name


def program(project: Path, arguments: str, more: str = "") -> str:
    (project / "program.py").write_text(LOAD.format(arguments=arguments) + more)
    return "program.py"


def told(done: Finished, code: int = 0) -> Any:
    assert done.code == code, done.err
    return json.loads(done.out)


def wanted(project: Path) -> Any:
    return tomllib.loads((project / "shelf.toml").read_text()).get("dependencies", {})


def test_what_is_loaded_is_written(installed: str, typed: Shelf, project: Path) -> None:
    before = (project / "shelf.toml").read_text()
    name = program(project, f"{installed!r}")
    dry = told(typed("trace", "--json", "--dry-run", name))
    assert ((project / "shelf.toml").read_text(), dry["written"]) == (before, [])
    done = typed("trace", "--json", name, "--json", "a")
    assert "printed --json a" in done.err
    assert told(done) == {
        "exit_code": 0,
        "packages": [
            {
                "name": installed,
                "version": "1.0.0",
                "models": [{"variant": "small", "format": "onnx"}],
                "shelf": str(project),
                "here": True,
            }
        ],
        "foreign": [],
        "written": [{"name": installed, "version": "^1.0.0"}],
    }
    assert wanted(project)[installed] == "^1.0.0"
    assert (project / "shelf.toml").read_text().startswith(before)
    again = told(typed("trace", "--json", name))
    assert (again["written"], len(again["packages"])) == ([], 1)
    assert typed("sync").code == 0


def test_a_table(installed: str, typed: Shelf, project: Path) -> None:
    done = typed("trace", program(project, f"{installed!r}", "sys.exit(3)\n"), "a")
    assert done.code == 3
    first, heads, row = done.out.splitlines()
    assert first == "printed a"
    assert heads.split() == ["loaded", "through", "what", "pin", "note"]
    assert row.split() == [
        "modelshelf", installed, "1.0.0", "small", "(onnx)", "^1.0.0", "written"
    ]  # fmt: skip
    assert "The program ended with exit code 3" in done.err
    assert installed in wanted(project)


@pytest.mark.parametrize(
    ("options", "loads", "expected"),
    [
        (("--variant", "*"), ("variant='small'",), "^1.0.0"),
        (("--variant", "*"), ("variant='large'",), {"variants": ["large"]}),
        (("--variant", "*"), ("variant='large'", ""), {"variants": ["large", "small"]}),
        (("--format", "safetensors"), ("",), {"format": "safetensors"}),
    ],
)
def test_what_is_not_the_default_is_written_too(
    options: tuple[str, ...],
    loads: tuple[str, ...],
    expected: Any,
    name: str,
    typed: Shelf,
    project: Path,
) -> None:
    """Loaded from another shelf, as is said."""
    other = project.parent / "other"
    other.mkdir()
    (other / "shelf.toml").touch()
    done = typed("install", name, *options, cwd=other)
    assert done.code == 0, done.err
    lines = [f"modelshelf.load({name!r}, shelf={str(other)!r}, {each})" for each in loads]
    (project / "program.py").write_text("\n".join(["import modelshelf", *lines]))
    done = typed("trace", "program.py")
    assert f"from another shelf: {other}" in done.out
    full = expected if isinstance(expected, str) else {"version": "^1.0.0", **expected}
    assert wanted(project) == {name: full}


def test_the_file_is_made_where_there_is_none(
    installed: str, typed: Shelf, project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "program.py").write_text(
        LOAD.format(arguments=f"{installed!r}, shelf={str(project)!r}")
    )
    done = typed("trace", "-m", "program", "a", cwd=folder)
    assert done.code == 0, done.err
    assert wanted(folder) == {installed: "^1.0.0"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("trace", "none.py"), 1, "there is no program none.py"),
        (("trace",), 2, "PROGRAM"),
        (("trace", "--python", "none", "shelf.toml"), 1, "there is no Python `none`"),
        (("trace", "-m", "there_is_none"), 1, "No module named there_is_none"),
    ],
)
def test_mistakes(words: tuple[str, ...], code: int, said: str, typed: Shelf) -> None:
    done = typed(*words)
    assert (done.code, said in done.err) == (code, True), done.err


def test_nothing_loaded(typed: Shelf, project: Path) -> None:
    (project / "program.py").write_text("print(input())")
    done = typed("trace", "program.py", stdin="words\n")
    assert done.out == "words\nThe program loaded no models that are seen here.\n"
    assert (project / "shelf.toml").read_text() == ""


def test_a_load_that_fails_is_not_written(installed: str, typed: Shelf, project: Path) -> None:
    done = typed("trace", "--json", program(project, f"{installed!r}, variant='none'"))
    assert told(done, 1) == {"exit_code": 1, "packages": [], "foreign": [], "written": []}
