"""Killed or damaged at random moments, transfers end well, and hardly a byte is moved twice.

`python -m tests.trouble.random_transfers --count 300` is the same for long.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNT = 16


@pytest.mark.no_cover
def test_nothing_is_wrong_afterwards() -> None:
    command = ["-m", "tests.trouble.random_transfers", "--count", str(COUNT), "--megabytes", "2"]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [wrong for each in told for wrong in each["wrong"]] == []
    assert len(told) == 12
    assert sum(each["killed"] for each in told) > COUNT // 2
