"""`shelf inspect` says what a file says, on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelshelf.cli import main
from tests.conftest import write_onnx

FIXTURES = Path(__file__).parents[1] / "formats"

KEYS = ["format", "framework", "tensors", "signatures", "entrypoints", "parameters", "code", "findings"]  # fmt: skip
MORE = {
    "severity", "file", "size", "framework_version", "ops", "opset", "precision", "companions",
    "python_packages", "urls", "unsaid", "notes",
}  # fmt: skip

# Everything that could be asked instead of the file itself is away.
ALONE = """
import json, socket, sys

class Away:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in AWAY:
            raise ImportError(f"{name} is away")

AWAY = {"torch", "tensorflow", "onnx", "onnxruntime", "keras", "numpy", "safetensors", "jax",
        "sklearn", "skops", "gguf", "openvino", "tensorflowjs", "flatbuffers", "h5py", "google"}
sys.meta_path.insert(0, Away())

def refuse(*_, **__):
    raise OSError("no network")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse

import contextlib, io
from modelshelf.cli import main

for file in sys.argv[1:]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        main(["inspect", file, "--json"])
    print(told.getvalue().strip())
"""


def fixtures() -> list[Path]:
    """Files and folders of every format that the tests of readers keep, an expectation beside."""
    found = FIXTURES.glob("*/*.*.json")
    return sorted(path.with_suffix("") for path in found if path.with_suffix("").exists())


@pytest.fixture
def inspect(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        code = main(["inspect", *map(str, arguments)])
        return code, capsys.readouterr().out

    return run


Inspect = Callable[..., tuple[int, str]]


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    write_onnx(tmp_path / "scale.onnx", 2.0)
    return tmp_path / "scale.onnx"


def test_every_key_is_always_there(inspect: Inspect, graph: Path) -> None:
    code, out = inspect(graph, "--json")
    told: dict[str, Any] = json.loads(out)
    assert code == 0
    assert list(told)[: len(KEYS)] == KEYS
    assert set(told) == {*KEYS, *MORE}
    assert told["signatures"]["default"]["inputs"] == {
        "x": {"dtype": "float32", "shape": ["batch", 2]}
    }
    assert told["tensors"] == [{"name": "factor", "dtype": "float32", "shape": [2]}]
    assert (told["parameters"], told["ops"], told["findings"]) == (2, {"Mul": 1}, [])
    assert (told["file"], told["size"]) == (str(graph), graph.stat().st_size)


def test_for_people(inspect: Inspect, graph: Path) -> None:
    _, out = inspect(graph)
    assert "  format      onnx\n" in out
    assert "default(x: float32[batch, 2]) -> (y: float32[batch, 2])" in out
    assert "1  Mul" in out


def test_long_lists_are_cut_unless_all_is_asked_for(inspect: Inspect, tmp_path: Path) -> None:
    header = json.dumps(
        {
            f"t{n}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
            for n in range(30)
        }
    ).encode()
    path = tmp_path / "many.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(120))
    assert "… and 10 more; --all shows them" in inspect(path)[1]
    assert "t29" in inspect(path, "--all")[1]


HARMFUL = b"\x80\x02cos\nsystem\nU\x02ls\x85R."


def test_a_blocked_finding_is_exit_code_1(inspect: Inspect, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(HARMFUL)
    code, out = inspect(path, "--json")
    told = json.loads(out)
    assert (code, told["severity"]) == (1, "blocked")
    finding = told["findings"][0]
    assert set(finding) == {"kind", "severity", "detail", "file", "meaning"}
    assert (finding["kind"], finding["detail"]) == ("pickle-global", "os.system")
    code, out = inspect(path)
    assert code == 1
    assert "blocked pickle-global: os.system" in out


def test_code_that_is_no_secret_is_no_failure(inspect: Inspect, tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("def small(width=8, *rest):\n    'A small one.'\n")
    code, out = inspect(tmp_path / "hubconf.py")
    assert code == 0
    assert "small(width=8, *rest): A small one." in out


def test_several_files(inspect: Inspect, graph: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")
    code, out = inspect(graph, tmp_path / "notes.txt", tmp_path / "gone", "--json")
    first, second, third = json.loads(out)["files"]
    assert (code, first["format"]) == (1, "onnx")
    assert (second["error"], third["error"]) == ("FormatError", "NotFound")
    assert second["file"] == str(tmp_path / "notes.txt")
    assert "cannot be read" in inspect(graph, tmp_path / "notes.txt")[1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(["notes.txt"], "FormatError"), (["gone"], "NotFound"), (["."], "FormatError"),
     (["notes.txt", "--format", "onxx"], "FormatError")],
)  # fmt: skip
def test_what_cannot_be_read(
    inspect: Inspect, tmp_path: Path, arguments: list[str], error: str
) -> None:
    (tmp_path / "notes.txt").write_text("words")
    code, out = inspect(tmp_path / arguments[0], *arguments[1:], "--json")
    assert (code, json.loads(out)["error"]) == (1, error)


def test_the_same_answer_where_there_is_nothing_else(inspect: Inspect, graph: Path) -> None:
    """Without network, frameworks and numpy; over every fixture of every format."""
    files = [graph, *fixtures()]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    alone = done.stdout.splitlines()
    assert alone == [inspect(file, "--json")[1].strip() for file in files]
    formats = {json.loads(line)["format"] for line in alone}
    assert len(formats) > 1
