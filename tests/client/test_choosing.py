"""Which files of a package are installed: variants, formats, contexts, consent to code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Shelf, write_package

HUB = """
[entrypoints.scale]
[[variants]]
name = "hub"
entrypoint = "scale"
[[variants.artifacts]]
format = "pytorch-hub"
files = ["hubconf.py"]
"""


@pytest.fixture
def name(shelf: Shelf, publisher: str, tmp_path: Path) -> str:
    """A package of three variants, one of which is code."""
    name = f"{publisher}/scale"
    folder = write_package(tmp_path / "package", name=name)
    (folder / "hubconf.py").write_text(
        f"open({str(tmp_path / 'it-ran')!r}, 'w').close()\n\n\ndef scale():\n    return None\n",
        encoding="utf-8",
    )
    manifest = folder / "shelf.toml"
    manifest.write_text(manifest.read_text() + HUB, encoding="utf-8")
    done = shelf("publish", str(folder))
    assert done.code == 0, done.err
    return name


def files(project: Path, name: str) -> set[str]:
    folder = project / ".shelf" / name / "1.0.0"
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"small.onnx"}),
        (("--variant", "large"), {"large.onnx"}),
        (("--variant", "large", "--variant", "small"), {"large.onnx", "small.onnx"}),
        (("--format", "safetensors"), {"small.safetensors"}),
        (("--context", "javascript"), {"small.onnx"}),
        (("--variant", "*", "--allow-pickle"), {"small.onnx", "large.onnx", "hubconf.py"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_named_is_installed(
    options: tuple[str, ...], expected: set[str], name: str, shelf: Shelf, project: Path
) -> None:
    done = shelf("install", name, *options)
    assert done.code == 0, done.err
    assert files(project, name) - {"shelf.toml"} == expected


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (("--variant", "smal"), 1, "small"),
        (("--format", "gguf"), 1, "onnx"),
        (("--context", "edge"), 1, "javascript"),
        (("--variant", "hub"), 8, "--allow-pickle"),
        (("--variant", "*"), 8, "--allow-pickle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_had_is_told(
    options: tuple[str, ...], code: int, word: str, name: str, shelf: Shelf, project: Path
) -> None:
    done = shelf("install", name, *options)
    assert done.code == code
    assert word in done.err
    assert not (project / "shelf.lock").exists()
    assert (project / "shelf.toml").read_text() == ""


def test_a_second_variant_joins_the_first(name: str, shelf: Shelf, project: Path) -> None:
    assert shelf("install", name).code == 0
    assert shelf("install", name, "--variant", "small", "--variant", "large").code == 0
    assert {"small.onnx", "large.onnx"} <= files(project, name)
    listed = json.loads(shelf("list", "--json").out)["packages"][0]
    assert [each["variant"] for each in listed["artifacts"]] == ["small", "large"]


def test_another_format_takes_the_place_of_the_first(
    name: str, shelf: Shelf, project: Path
) -> None:
    assert shelf("install", name).code == 0
    assert shelf("install", name, "--format", "safetensors").code == 0
    assert "small.onnx" not in files(project, name)


def test_code_is_never_run_by_installing_or_looking(
    name: str, shelf: Shelf, tmp_path: Path
) -> None:
    for command in ("info", "install"):
        shelf(
            command, name, *(("--variant", "*", "--allow-pickle") if command == "install" else ())
        )
    assert not (tmp_path / "it-ran").exists()


def test_consent_is_for_one_release(name: str, shelf: Shelf, tmp_path: Path, project: Path) -> None:
    assert shelf("install", name, "--variant", "hub", "--allow-pickle").code == 0
    assert shelf("install").code == 0, "what was consented to stays"
    manifest = tmp_path / "package" / "shelf.toml"
    manifest.write_text(manifest.read_text().replace('"1.0.0"', '"1.1.0"'), encoding="utf-8")
    assert shelf("publish", str(tmp_path / "package")).code == 0
    assert shelf("upgrade").code == 8
    assert files(project, name) >= {"hubconf.py"}
    assert shelf("upgrade", "--allow-pickle").code == 0


def test_a_file_that_was_lost_comes_back(name: str, shelf: Shelf, project: Path) -> None:
    assert shelf("install", name).code == 0
    path = project / ".shelf" / name / "1.0.0" / "small.onnx"
    before = path.read_bytes()
    path.unlink()
    done = shelf("install", "--json")
    assert done.code == 0
    assert json.loads(done.out)["bytes_fetched"] == 0
    assert path.read_bytes() == before


def test_a_file_that_was_changed_is_put_right(name: str, shelf: Shelf, project: Path) -> None:
    """An editor that writes a new file beside and renames it breaks the link, not the store."""
    assert shelf("install", name).code == 0
    path = project / ".shelf" / name / "1.0.0" / "small.onnx"
    before = path.read_bytes()
    path.unlink()
    path.write_bytes(b"something else")
    assert shelf("install").code == 0
    assert path.read_bytes() == before


def test_a_shelf_above_is_found(name: str, shelf: Shelf, project: Path) -> None:
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    assert shelf("install", name, cwd=below).code == 0
    assert (project / "shelf.lock").exists()
    assert not (below / "shelf.toml").exists()


def test_comments_in_shelf_toml_stay(name: str, shelf: Shelf, project: Path) -> None:
    (project / "shelf.toml").write_text("# mine\n[dependencies] # all of them\n", encoding="utf-8")
    assert shelf("install", name).code == 0
    text = (project / "shelf.toml").read_text()
    assert text.startswith("# mine\n[dependencies] # all of them\n")
    assert shelf("remove", name).code == 0
    assert (project / "shelf.toml").read_text() == "# mine\n[dependencies] # all of them\n"


def test_the_same_wishes_give_the_same_lock(
    name: str, shelf: Shelf, project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "shelf.toml").touch()
    for folder in (project, other):
        assert shelf("install", name, cwd=folder).code == 0
    assert (project / "shelf.lock").read_bytes() == (other / "shelf.lock").read_bytes()
