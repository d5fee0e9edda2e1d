"""Exported bills of materials are valid to the libraries of those who specify them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from modelshelf.client.exports import contents, find
from tests.client.shelves import Release, write_shelf

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "environments" / "sbom" / "bin" / "python"
RELEASES = (
    Release("acme/x", 'python = ["numpy>=1.26"]\nhardware = ["cpu"]', needs=("acme/y",)),
    Release("acme/y", 'frameworks = { torch = ">=2" }', bases=("acme/z",), formats=("onnx", "pytorch"),
            license="LicenseRef-Own OR MIT"),
    Release("acme/z", 'python_version = ">=3.8"', version="0.1.0-rc.1+5"),
)  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 3])
def test_libraries_find_nothing_wrong(count: int, tmp_path: Path) -> None:
    if not PYTHON.exists():
        pytest.skip("no environment for bills: make test-frameworks sets it up")
    held = contents(*write_shelf(tmp_path / "shelf", *RELEASES[3 - count :]))
    for name in ("cyclonedx", "spdx"):
        export = find(name)
        (tmp_path / export.file).write_text(export.write(held), encoding="utf-8")
    done = subprocess.run(
        [PYTHON, "-P", str(Path(__file__).with_name("bills.py")), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []
