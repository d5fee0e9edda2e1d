"""Many clients at once: all are served, none much later than the others, and the registry stays small.

`python -m tests.trouble.crowd` is the same with 32 clients and 40 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_MEMORY_KIB = 400 << 10
"""Some 150 MiB when it is idle, and 1 MiB for each connection: see `PIECE_BYTES` in `sending`."""
MOST_THREADS = 64


@pytest.mark.no_cover
def test_a_crowd_is_served() -> None:
    command = ["-m", "tests.trouble.crowd", "--clients", "8", "--megabytes", "3", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (told_of_all,) = told["rounds"]
    assert told_of_all["slowest_to_median"] < 4
    assert told["after"]["VmHWM"] < MOST_MEMORY_KIB
    assert told["after"]["Threads"] < MOST_THREADS
    assert told["after"]["sockets"] <= told["before"]["sockets"]
