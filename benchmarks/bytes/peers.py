"""The other tools, each run for real: what a second file adds to what the first one left there.

hf_xet's `local://` mode stores what would travel to Hugging Face's servers: xorbs and shards. Its
local index and caches beside them are not counted. A download travels the same way at best, where
the reader has every chunk of the parent in its cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.bytes.files import folder_bytes

ENVIRONMENT = Path(sys.prefix) / "bytes"
ROOT = Path(__file__).resolve().parents[2]
Peer = Callable[[Path, Sequence[Path]], int]
"""Put files into the tool's storage below a folder; how many bytes it holds afterwards."""


def in_their_environment(verb: str, *words: object) -> str:
    """Run a verb of `benchmarks.bytes.child`; what it printed."""
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "benchmarks.bytes.child", verb]
    return _run([*command, *map(str, words)], ROOT)


def added(peer: Peer, folder: Path, parent: Sequence[Path], child: Sequence[Path]) -> int:
    """The bytes that `child` adds to a fresh storage that holds `parent`."""
    try:
        before = peer(folder, parent) if parent else 0
        return peer(folder, child) - before
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def xet(folder: Path, files: Sequence[Path]) -> int:
    """huggingface_hub with hf_xet."""
    in_their_environment("xet", folder, *files)
    stored = folder / "xet" / "xorbs"
    found = [*stored.glob("xorbs/default.*"), *stored.glob("shards/*.mdb")]
    assert found, f"hf_xet keeps its files elsewhere now: {stored}"
    return sum(path.stat().st_size for path in found if path.suffix != ".tagset")


def mlflow(folder: Path, files: Sequence[Path]) -> int:
    """Artifacts of MLflow runs."""
    in_their_environment("mlflow", folder, *files)
    return sum(folder_bytes(each) for each in folder.glob("*/*/artifacts"))


def dvc(folder: Path, files: Sequence[Path]) -> int:
    """`dvc add` and `dvc push` to a remote on this disk."""
    project, remote = folder / "project", folder / "remote"
    if not project.is_dir():
        project.mkdir(parents=True)
        _run([_dvc(), "init", "--no-scm", "--quiet"], project)
        _run([_dvc(), "remote", "add", "--quiet", "--default", "local", str(remote)], project)
    for number, file in enumerate(files):
        target = project / f"{number}-{file.name}"
        target.unlink(missing_ok=True)
        os.link(file, target)
        _run([_dvc(), "add", "--quiet", target.name], project)
    _run([_dvc(), "push", "--quiet"], project)
    return folder_bytes(remote)


def plain(folder: Path, files: Sequence[Path]) -> int:
    """Files in a folder for each release, as on a web server."""
    release = folder / str(len(list(folder.glob("*"))))
    release.mkdir(parents=True)
    for number, file in enumerate(files):
        shutil.copyfile(file, release / f"{number}-{file.name}")
    return folder_bytes(folder)


PEERS: dict[str, Peer] = {"hf_xet": xet, "DVC": dvc, "MLflow": mlflow, "plain": plain}


def _dvc() -> str:
    return str(ENVIRONMENT / "bin" / "dvc")


def _run(command: Sequence[str], folder: Path) -> str:
    env = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(ENVIRONMENT / "home"),
        "DVC_SITE_CACHE_DIR": str(ENVIRONMENT / "home"),
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
