"""Modelshelf as a user has it: the real command line, a real registry, HTTP through a counting proxy."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import registry
from benchmarks.bytes.files import folder_bytes, sha256
from benchmarks.bytes.proxy import Count, counting

PACKAGE = f"{registry.PUBLISHER}/pair"
PATIENCE_SECONDS = 900

_HEAD = """\
[package]
name = "{name}"
version = "{version}"
summary = "Random numbers"
license = "Apache-2.0"
task = "other"

[signatures.scale.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.scale.outputs.y]
dtype = "float32"
shape = ["batch", 2]
"""
_VARIANT = """
[[variants]]
name = "{name}"
features = {{ number = {number} }}
[[variants.artifacts]]
format = "{format}"
files = ["{file}"]
"""
_FORMATS = {".pt": "pytorch", ".safetensors": "safetensors"}


@dataclass(frozen=True)
class Moved:
    """What one step took: bytes down (all, and what the file was made of: recipe, segments, or the
    file itself), bytes up, and the bytes that the registry stored more.

    `bodies` are those of all answers by the first part of their paths.
    """

    down: int
    content: int
    up: int
    stored: int
    requests: int
    bodies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Shop:
    """A registry, the proxy before it, and a user."""

    folder: Path
    live: registry.Live
    env: dict[str, str]
    count: Count

    @property
    def stored(self) -> int:
        """Bytes of segments that the registry keeps; its cache of whole files is not counted."""
        segments = self.folder / "data" / "segments"
        return folder_bytes(segments) or folder_bytes(self.folder / "data" / "store")

    def publish(self, version: str, files: Sequence[Path]) -> None:
        """Publish `files`, each as a variant of its own, and wait for what comes of it."""
        folder = self.folder / f"package-{version}"
        folder.mkdir()
        text = _HEAD.format(name=PACKAGE, version=version)
        for number, file in enumerate(files):
            (folder / file.name).hardlink_to(file)
            text += _VARIANT.format(
                name="only" if len(files) == 1 else file.stem,
                number=number,
                format=_FORMATS[file.suffix],
                file=file.name,
            )
        (folder / "shelf.toml").write_text(text, encoding="utf-8")
        self.shelf("publish", str(folder), "--override-level", "a benchmark", "--allow-pickle")
        shutil.rmtree(folder)
        self.settle()

    def shelf(self, *words: str, cwd: Path | None = None) -> None:
        """Run the command line; raises where it fails."""
        command = [registry.SHELF, *words, "--quiet"]
        done = subprocess.run(
            command, cwd=cwd, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def settle(self) -> None:
        """Wait until the registry has done all its jobs."""
        path = self.folder / "data" / "registry.sqlite"
        deadline = time.monotonic() + PATIENCE_SECONDS
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            while waiting := database.execute("SELECT kind, state, error FROM job").fetchall():
                if time.monotonic() > deadline or any(row[1] == "failed" for row in waiting):
                    raise RuntimeError(f"jobs of the registry do not end: {waiting}")
                time.sleep(0.1)


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """A fresh registry below `folder`, and a user who asks it through a counting proxy."""
    folder.mkdir(parents=True)
    compiled = folder.parent / "compiled"
    compiled.mkdir(exist_ok=True)
    (folder / "compiled").symlink_to(compiled)  # modules are compiled once for all registries
    try:
        with registry.running(folder) as live, counting(live.url) as (url, count):
            env = registry.user(folder / "home", url)
            registry.login(env)
            yield Shop(folder, live, env, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def upgrade(folder: Path, parent: Path | None, child: Path) -> tuple[Moved, Moved]:
    """What publishing `child` and getting it take; the reader has `parent`, or nothing at all."""
    with shop(folder) as here:
        project = registry.project(folder / "project")
        if parent is not None:
            here.publish("1.0.0", [parent])
            here.shelf("install", PACKAGE, "--allow-pickle", cwd=project)
        published = _moved(here, child, lambda: here.publish("1.1.0", [child]))
        words = ["install", PACKAGE] if parent is None else ["upgrade"]
        got = _moved(here, child, lambda: here.shelf(*words, "--allow-pickle", cwd=project))
        installed = project / ".shelf" / PACKAGE / "1.1.0" / child.name
        assert sha256(installed) == sha256(child), "a wrong file"
        return published, got


def stored(folder: Path, files: Sequence[Path]) -> int:
    """The bytes that a registry keeps of a release with `files` as its variants."""
    with shop(folder) as here:
        here.publish("1.0.0", files)
        return here.stored


def _moved(here: Shop, file: Path, step: Callable[[], None]) -> Moved:
    before = here.stored
    here.count.reset()
    step()
    bodies: Counter[str] = Counter()
    for path, size in here.count.bodies.items():
        bodies[path.split("/")[1]] += size
    whole = here.count.bodies[f"/files/{sha256(file)}"]
    return Moved(
        down=here.count.down,
        content=bodies["recipes"] + bodies["segments"] + whole,
        up=here.count.up,
        stored=here.stored - before,
        requests=here.count.requests,
        bodies=dict(bodies),
    )
