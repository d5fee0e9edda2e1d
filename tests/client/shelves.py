"""Shelves as an install leaves them, made without a registry: lock, descriptions, files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec

from modelshelf.client.shelf import Shelf
from modelshelf.package.entry import Entry, File, draft
from modelshelf.package.lock import Lock, Locked, locked
from modelshelf.package.manifest import parse
from modelshelf.package.path import ENTRY
from modelshelf.package.record import Dependency

REGISTRY = "https://models.example"
MANIFEST = """\
[package]
name = "{name}"
version = "{version}"
summary = "Doubles numbers — exactly"
license = "{license}"
copyright = "2026 Acme"
task = "image-classification"
algorithm = "CNN"
datasets = ["uci-digits"]
source = "https://git.acme.example/x"
{dependencies}
[requires]
{requires}
[signatures.scale.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.scale.outputs.y]
dtype = "float32"
[[variants]]
name = "small"
metrics = [{{ name = "accuracy", value = 0.98, dataset = "uci-digits", split = "test" }}]
[[variants.artifacts]]
format = "onnx"
files = ["small.onnx"]
[[variants.artifacts]]
format = "pytorch"
files = ["small.pt"]
"""


class Release(NamedTuple):
    """What one release of a test shelf says."""

    name: str
    requires: str = ""
    needs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    version: str = "1.2.0"
    formats: tuple[str, ...] = ("onnx",)
    license: str = "Apache-2.0"
    isolated: str = ""
    published: str = "2026-11-01T10:00:00.5Z"


def write_shelf(root: Path, *releases: Release, roots: tuple[str, ...] = ()) -> tuple[Shelf, Lock]:
    """The shelf with these releases installed; asked for are `roots`, else all."""
    shelf = Shelf(root)
    packages = []
    for number, each in enumerate(releases, 1):
        wanted = dict.fromkeys(each.needs, "runtime") | dict.fromkeys(each.bases, "base")
        table = "".join(f'"{on}" = {{ version = "*", kind = "{k}" }}\n' for on, k in wanted.items())
        text = MANIFEST.format(
            name=each.name, version=each.version, license=each.license, requires=each.requires,
            dependencies=f"[dependencies]\n{table}",
        )  # fmt: skip
        files = {"shelf.toml": text.encode(), "small.onnx": each.name.encode(), "small.pt": b"pt"}
        entry = _entry(each, number, files, text)
        package = _installed(locked(entry, REGISTRY, {}, each.isolated), each.formats)
        packages.append(package)
        folder = shelf.release(package)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ENTRY).write_bytes(msgspec.json.encode(entry))
        for file in package.installed_files():
            (folder / file.path).write_bytes(files[file.path])
    asked = {on: Dependency("*") for on in roots or {each.name for each in releases}}
    return shelf, Lock(asked, packages=tuple(packages))


def _installed(package: Locked, formats: tuple[str, ...]) -> Locked:
    artifacts = tuple(
        msgspec.structs.replace(each, environments=("default",) if each.format in formats else ())
        for each in package.artifacts
    )
    return msgspec.structs.replace(package, artifacts=artifacts)


def _entry(release: Release, number: int, files: dict[str, bytes], text: str) -> Entry:
    listed = tuple(
        File(path, len(content), hashlib.sha256(content).hexdigest(), "0" * 40, "0" * 32)
        for path, content in files.items()
    )
    return msgspec.structs.replace(
        draft(parse(text)), files=listed, number=number, published=release.published,
        commit=hashlib.sha1(text.encode()).hexdigest(),
        manifest=hashlib.sha256(text.encode()).hexdigest(),
    )  # fmt: skip
