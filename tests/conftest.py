"""A real registry on this machine, a user's home and project, and packages small enough to read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

PASSWORD = "correct horse battery"

MANIFEST = """\
[package]
name = "{name}"
version = "{version}"
summary = "Doubles numbers"
license = "Apache-2.0"
task = "other"

{dependencies}
[signatures.scale.inputs.x]
dtype = "float32"
shape = ["batch", 2]
[signatures.scale.outputs.y]
dtype = "float32"
shape = ["batch", 2]

[[variants]]
name = "small"
[[variants.artifacts]]
format = "onnx"
files = ["small.onnx"]
contexts = ["python", "javascript"]
[[variants.artifacts]]
format = "safetensors"
files = ["small.safetensors"]

[[variants]]
name = "large"
[[variants.artifacts]]
format = "onnx"
files = ["large.onnx"]
"""


def write_onnx(path: Path, factor: float) -> None:
    """A real graph: y = x * factor, float32[batch, 2]."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.full((2,), factor, dtype=np.float32), "factor")
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("x", "y")
    )
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    graph = helper.make_graph([node], "scale", [x], [y], [weights])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests"
    )
    onnx.save(model, str(path))


def write_package(
    folder: Path,
    *,
    name: str = "acme/scale",
    version: str = "1.0.0",
    factor: float = 2.0,
    dependencies: dict[str, str] | None = None,
) -> Path:
    """A package that passes every check: two variants as ONNX, one also as safetensors."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    wanted = "".join(f'"{n}" = "{v}"\n' for n, v in (dependencies or {}).items())
    text = MANIFEST.format(
        name=name, version=version, dependencies=f"[dependencies]\n{wanted}" if wanted else ""
    )
    (folder / "shelf.toml").write_text(text, encoding="utf-8")
    write_onnx(folder / "small.onnx", factor)
    write_onnx(folder / "large.onnx", factor + 0.5)
    save_file({"factor": np.full((2,), factor, np.float32)}, folder / "small.safetensors")
    return folder


class Finished(NamedTuple):
    """What one run of the command line left behind."""

    code: int
    out: str
    err: str


Shelf = Callable[..., Finished]


def run_shelf(*arguments: str, cwd: Path, env: dict[str, str], stdin: str = "") -> Finished:
    """The real command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "modelshelf.cli", *arguments],
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def run_here(*arguments: str, cwd: Path, env: dict[str, str], stdin: str = "") -> Finished:
    """The command line inside this process: for tests of what it does, not of how it starts."""
    import contextlib
    import io

    from modelshelf.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as here, contextlib.chdir(cwd):
        for name in [each for each in {*env, *os.environ} if each.startswith("MODELSHELF_")]:
            here.setenv(name, env[name]) if name in env else here.delenv(name, raising=False)
        here.setattr("sys.stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(arguments)
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
    return Finished(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def registry_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the registry that all tests of one process share."""
    return tmp_path_factory.mktemp("registry")


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """A registry on the folder `data`, in a thread; gives its URL."""
    from modelshelf.registry.server import Server
    from modelshelf.registry.settings import Settings

    server = Server(Settings(data=data, fsync=False, password_memory_kib=8192), port=0)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _url: ready.set(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield server.url
    server.stop()
    thread.join(30)


@pytest.fixture(scope="session")
def registry_url(registry_data: Path) -> Iterator[str]:
    """A registry that all tests of one process share: give packages names of their own."""
    with serving(registry_data) as url:
        yield url


@pytest.fixture
def user_env(tmp_path: Path, registry_url: str) -> dict[str, str]:
    """The environment of a user with an empty home, who asks the shared registry."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MODELSHELF_")}
    return {
        **kept,
        "MODELSHELF_HOME": str(tmp_path / "home"),
        "MODELSHELF_REGISTRY": registry_url,
        "NO_COLOR": "1",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder with a shelf of its own, so that no folder above counts."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shelf.toml").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def shelf(project: Path, user_env: dict[str, str]) -> Shelf:
    """`shelf("install", "acme/scale")` in the project, as the user; gives code, out and err."""

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_here(*arguments, cwd=cwd or project, env=user_env, stdin=stdin)

    return run


@pytest.fixture
def typed(project: Path, user_env: dict[str, str]) -> Shelf:
    """The same in a process of its own, as it is typed."""

    def run(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Finished:
        return run_shelf(*arguments, cwd=cwd or project, env=user_env, stdin=stdin)

    return run


@pytest.fixture
def publisher(shelf: Shelf, request: pytest.FixtureRequest) -> str:
    """A publisher nobody else uses, logged in."""
    import hashlib

    name = "p" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    done = shelf("login", name, "--create", "--password-stdin", stdin=PASSWORD + "\n")
    assert done.code == 0, done.err
    return name


@pytest.fixture
def package() -> Callable[..., Path]:
    """`write_package`, for tests that need a folder to publish."""
    return write_package
