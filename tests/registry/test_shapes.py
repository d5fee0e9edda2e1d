"""First decodings by many threads at once: msgspec alone would crash, so types are learned before."""

from __future__ import annotations

import subprocess
import sys

import pytest

RACE = """
import sys, threading, time
import msgspec
sys.setswitchinterval(1e-6)
{before}
from modelshelf.package.entry import Entry
line = {line!r}
def decode(delay):
    time.sleep(delay)
    for _ in range(3):
        {decode}
threads = [threading.Thread(target=decode, args=(n / 2000,)) for n in range(8)]
for each in threads: each.start()
for each in threads: each.join()
"""
LINE = (
    b'{"name":"acme/x","version":"1.0.0","number":1,"commit":"","manifest":"","published":"",'
    b'"variants":[{"name":"a","artifacts":[{"format":"onnx","files":["a.onnx"]}]}],"files":[]}'
)


@pytest.mark.parametrize(
    ("before", "decode"),
    [
        pytest.param(
            "import modelshelf.registry.app; from modelshelf.registry import shapes\n"
            "assert shapes.learn() > 50",
            "msgspec.json.Decoder(Entry).decode_lines(line)",
            id="registry",
        ),
        pytest.param(
            "from modelshelf.client import remote", "remote._LINES.decode_lines(line)", id="client"
        ),
    ],
)
def test_nothing_crashes(before: str, decode: str) -> None:
    program = RACE.format(before=before, decode=decode, line=LINE)
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
