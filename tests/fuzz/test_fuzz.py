"""A short campaign over every reader; `make fuzz` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelshelf.formats import formats
from tests.fuzz.campaign import campaign
from tests.fuzz.child import ROOT
from tests.fuzz.seeds import seeds

pytestmark = pytest.mark.no_cover  # counting lines triples the time of a search

COUNT = 300


def test_every_reader_has_seeds() -> None:
    assert seeds().keys() >= formats().keys()


@pytest.mark.parametrize("name", formats())
def test_mutated_files_are_read_or_refused(name: str) -> None:
    told = campaign(name, "suite", COUNT)
    assert told.bad == []
    assert sum(told.totals.values()) == COUNT


DEEDS = {
    "import os; os.system('true')": "os.system",
    "exec('1')": "compile",
    "open('/etc/hostname')": "open",
    "open('here', 'w')": "open",
    "import smtplib": "import",
    "import numpy": "import",
    "import os; os.remove('here')": "os.remove",
    "import os; os.listdir('/')": "os.listdir",
    "import ast; ast.parse('1 +')": "",
    "import tempfile; tempfile.TemporaryFile().write(b'x')": "",
}
WATCHED = """
import ast, sys, tempfile, os
from pathlib import Path
from tests.fuzz.child import Watch
watch = Watch(Path(sys.argv[1]))
for deed in sys.argv[3:]:
    code = compile(deed, sys.argv[2], "exec")
    watch.heard.clear()
    watch.armed = True
    try:
        exec(code)
    except BaseException:
        pass
    watch.armed = False
    print(watch.heard[0].split()[0] if watch.heard else "")
"""


def test_the_watch_hears_what_no_reader_needs(tmp_path: Path) -> None:
    ours = str(ROOT / "src" / "reader.py")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path), ours, *DEEDS],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert dict(zip(DEEDS, done.stdout.split("\n"), strict=False)) == DEEDS
