"""Every reader against the framework itself: files made anew, in the framework's own environment.

The scripts in `make/` write files and, beside each, what the framework says of it; the same files
lie in `tests/formats/` for those who have no framework. `make test-frameworks` sets up the
environments that `environments/*.txt` describe.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.formats import carrier, read
from tests.formats.matrix import cases, expected, told

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venv" / "environments"
SCRIPTS = sorted(path for path in (HERE / "make").iterdir() if path.suffix in {".py", ".mjs"})
SHARED = {"keras": "tensorflow", "tflite": "tensorflow"}
"""Scripts that run in another one's environment."""
TIMEOUT_SECONDS = 600


def command(script: Path) -> list[str]:
    """What runs the script: node, its own environment where one is described, else this one.

    `-P`: a script has the name of its framework and must not be imported instead of it.
    """
    if script.suffix == ".mjs":
        installed = (ENVIRONMENTS / script.stem / "node_modules").exists()
        if not installed or (node := shutil.which("node")) is None:
            pytest.skip(f"no environment for {script.stem}: npm or node is not installed")
        return [node]
    name = SHARED.get(script.stem, script.stem)
    if not (HERE / "environments" / f"{name}.txt").exists():
        return [sys.executable, "-P"]
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment for {name}: make test-frameworks sets it up")
    return [str(python), "-P"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_reader_says_what_the_framework_says(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*command(script), str(script), str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = [case for folder in sorted(tmp_path.iterdir()) for case in cases(folder)]
    assert made
    for case in made:
        said = expected(case)
        assert told(read(carrier(case)), said) == said, case.name
    shutil.rmtree(tmp_path, ignore_errors=True)
