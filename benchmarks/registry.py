"""A real registry in a process of its own, a user of it, and packages to put there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SHELF = str(Path(sys.executable).with_name("shelf"))
PUBLISHER = "bench"
_PASSWORD = "correct horse battery"

_MANIFEST = """\
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

[[variants]]
name = "only"
[[variants.artifacts]]
format = "safetensors"
files = ["only.safetensors"]
"""


class Live(NamedTuple):
    """A registry that answers: its process id, its address, and its user's environment."""

    pid: int
    url: str
    env: dict[str, str]

    def cpu_seconds(self) -> float:
        """CPU time that the server has taken so far, in steps of one clock tick (10 ms)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(folder: Path) -> Iterator[Live]:
    """A fresh registry that keeps its data below `folder`, with the publisher `bench` logged in."""
    command = [SHELF, "registry", "serve", "--data", str(folder / "data"), "--port", "0", "--json"]
    with (
        (folder / "registry.log").open("wb") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env=user(folder / "home", "")
        ) as server,
    ):
        try:
            assert server.stdout is not None
            url = str(json.loads(server.stdout.readline())["url"])
            env = user(folder / "home", url)
            login(env, create=True)
            yield Live(server.pid, url, env)
        finally:
            server.terminate()


def user(home: Path, url: str) -> dict[str, str]:
    """The environment of a user who keeps everything in `home` and asks the registry at `url`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MODELSHELF_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages are compiled
    return {
        **kept,
        "MODELSHELF_HOME": str(home),
        "MODELSHELF_REGISTRY": url,
        "PYTHONPYCACHEPREFIX": str(home.with_name("compiled")),
    }


def publish(live: Live, folder: Path, name: str, version: str, *, size: int) -> Path:
    """Publish a package with one file of `size` random bytes (and a small header); gives the file.

    Random bytes cannot be shared or made smaller by anything on the way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = _MANIFEST.format(name=f"{PUBLISHER}/{name}", version=version)
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    path = write_random(folder / "only.safetensors", size)
    subprocess.run(
        [SHELF, "publish", str(folder)], env=live.env, stdout=subprocess.DEVNULL, check=True
    )
    return path


def project(folder: Path) -> Path:
    """An empty project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shelf.toml").write_text("", encoding="utf-8")
    return folder


def write_random(path: Path, size: int) -> Path:
    """A safetensors file with one tensor of `size` random bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        while size:
            count = min(size, 1 << 24)
            file.write(os.urandom(count))
            size -= count
    return path


def login(env: dict[str, str], *, create: bool = False) -> None:
    """Let the user of `env` publish as `bench`; `create` makes the account."""
    subprocess.run(
        [SHELF, "login", PUBLISHER, *(["--create"] if create else []), "--password-stdin"],
        env=env,
        input=f"{_PASSWORD}\n".encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
