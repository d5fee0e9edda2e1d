"""Packages made to harm: looked at, they harm nobody; published, they are refused with all reasons."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Shelf, write_package

MANIFEST = """\
[package]
name = "{name}"
version = "1.0.0"
summary = "Not what it seems"
license = "Apache-2.0"
task = "other"
[signatures.scale.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.scale.outputs.y]
dtype = "float32"
shape = ["batch", 2]
[[variants]]
name = "bad"
[[variants.artifacts]]
format = "pytorch"
files = ["model.pt"]
"""


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.sentinel}'",)


def bare(payload: bytes) -> bytes:
    return payload


def archived(payload: bytes) -> bytes:
    """The layout of `torch.save` since 1.6."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        file.writestr("model/data.pkl", payload)
        file.writestr("model/version", "3\n")
    return buffer.getvalue()


@pytest.mark.parametrize("layout", [bare, archived])
def test_a_pickle_that_runs_a_command_never_runs(
    layout: Callable[[bytes], bytes],
    shelf: Shelf,
    publisher: str,
    tmp_path: Path,
    project: Path,
    registry_data: Path,
) -> None:
    sentinel = tmp_path / "it-ran"
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.pt").write_bytes(layout(pickle.dumps(Bomb(sentinel))))
    name = f"{publisher}/bad"
    shelf("init", name, str(folder))
    (folder / "shelf.toml").write_text(MANIFEST.format(name=name), encoding="utf-8")
    checked = shelf("check", str(folder), "--json")
    assert (checked.code, json.loads(checked.out)["ok"]) == (1, False)
    held = json.loads(shelf("publish", str(folder), "--json").out)
    assert (held["error"], held["where"][:8]) == ("Refused", "session ")
    assert shelf("info", name).code == 1
    data = ("--data", str(registry_data))
    allowed = shelf("registry", "allow", held["where"][8:], "--reason", "a test", *data)
    assert allowed.code == 0, allowed.err
    assert shelf("publish", str(folder), "--json").code == 0
    assert not sentinel.exists()
    elements = json.loads(shelf("info", name, "--json").out)["elements"]
    assert "system" in json.dumps(elements["vulnerability-report"]["value"])
    done = shelf("install", name, "--json")
    assert (done.code, json.loads(done.out)["error"]) == (8, "Refused")
    assert not (project / "shelf.lock").exists()
    assert shelf("install", name, "--allow-pickle").code == 0
    assert not sentinel.exists()
    pickle.loads(pickle.dumps(Bomb(sentinel)))
    assert sentinel.exists(), "the bomb is a real one"


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("model/data.pkl", b"\0" * (256 << 20))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("small.safetensors", struct.pack("<Q", 1 << 62) + b"{}"),
        ("small.safetensors", struct.pack("<Q", 100) + b'{"a":'),
        ("small.safetensors", b""),
        ("small.safetensors", b"\xff" * 7),
        ("small.onnx", b"\xff" * 4096),
        ("small.onnx", b""),
        ("shelf.toml", '[package]\nsummary = "café"\n'.encode("latin-1")),
        ("shelf.toml", b"# " + b"x" * (10 << 20)),
        ("shelf.toml", b"[" * 100_000),
        ("shelf.toml", b"a." * 50_000 + b"a = 1"),
        ("shelf.toml", b"\x00"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_broken_files_are_told_in_one_object(
    file: str, content: bytes, shelf: Shelf, tmp_path: Path, publisher: str
) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    (folder / file).write_bytes(content)
    done = shelf("check", str(folder), "--json")
    assert done.code == 1, done.err
    assert done.err == ""
    told = json.loads(done.out)
    assert not told["ok"]
    assert any(each["file"] == file or file in each["message"] for each in told["problems"])
    published = shelf("publish", str(folder), "--json")
    assert published.code == 1, published.err
    assert json.loads(published.out)["problems"]


def test_a_zip_bomb_is_refused_quickly(shelf: Shelf, tmp_path: Path, publisher: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.pt").write_bytes(zip_bomb())
    text = MANIFEST.format(name=f"{publisher}/bomb")
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    done = shelf("check", str(folder), "--json")
    assert done.code == 1
    assert json.loads(done.out)["problems"][0]["file"] == "model.pt"


@pytest.mark.parametrize(
    "path", ["../secret.onnx", "/etc/passwd", "a/../../b", "small.onnx/", "C:\\\\x", "nul", "a//b"]
)
def test_paths_that_lead_elsewhere(path: str, shelf: Shelf, tmp_path: Path, publisher: str) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    text = (folder / "shelf.toml").read_text().replace('["large.onnx"]', f'["{path}"]')
    (folder / "shelf.toml").write_text(text)
    assert tomllib.loads(text)
    done = shelf("check", str(folder), "--json")
    assert done.code == 1
    problem = json.loads(done.out)["problems"][0]
    assert problem["element"].startswith("variants[1].artifacts[0].files")
    assert problem["line"] is not None


def test_links_are_not_followed(shelf: Shelf, tmp_path: Path, publisher: str) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale")
    (folder / "large.onnx").rename(tmp_path / "secret.onnx")
    (folder / "large.onnx").symlink_to(tmp_path / "secret.onnx")
    done = shelf("publish", str(folder))
    assert done.code == 1
    assert "symbolic link" in done.err


@pytest.mark.parametrize("version", ["1", "01.0.0", "1.0.0.0", "9" * 400 + ".0.0", "latest", ""])
def test_absurd_versions(version: str, shelf: Shelf, tmp_path: Path, publisher: str) -> None:
    folder = write_package(tmp_path / "package", name=f"{publisher}/scale", version=version)
    done = shelf("publish", str(folder), "--json")
    assert done.code == 1
    assert json.loads(done.out)["problems"][0]["element"] == "package.version"


def test_a_package_that_needs_itself(shelf: Shelf, tmp_path: Path, publisher: str) -> None:
    name = f"{publisher}/scale"
    folder = write_package(tmp_path / "package", name=name, dependencies={name: "^1.0"})
    done = shelf("publish", str(folder), "--json")
    assert done.code == 1
    assert json.loads(done.out)["problems"][0]["message"] == "a package cannot need itself"
