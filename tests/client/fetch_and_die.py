"""Fetch a file again and again, killed at a random moment; then once more to its end.

`python fetch_and_die.py URL SHA256 SIZE FOLDER SEED`: the first line that it is sent is answered after
an undisturbed run, each further one after a round. Each is forked, so that what was imported is
shared; each answer is a JSON object.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from modelshelf.client import fetching, transfer
from modelshelf.client.http import Connection
from modelshelf.client.transfer import Wanted
from modelshelf.store.disk import DiskStore

assert fetching
LONGEST_DELAY_SECONDS = 0.01


class Death:
    """Comes a moment after so many bytes of the file are there."""

    def __init__(self, left: int, after_seconds: float) -> None:
        self._left = left
        self._after_seconds = after_seconds

    def __call__(self, more: int) -> None:
        alive = self._left > 0
        self._left -= more
        if alive and self._left <= 0:
            threading.Thread(target=self._come, daemon=True).start()

    def _come(self) -> None:
        time.sleep(self._after_seconds)
        os.kill(os.getpid(), signal.SIGKILL)


def run(url: str, file: Wanted, root: Path, death: Death) -> int:
    """Fetch it in a fork; gives its exit code."""
    child = os.fork()
    if not child:
        code = 1
        try:
            store = DiskStore(root, fsync=False)
            files = [file]
            transfer.fetch(lambda: Connection(url), store, files, release="a/m@1", progress=death)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def one_round(url: str, file: Wanted, root: Path, death: Death) -> dict[str, object]:
    """Whether it was killed before its end, and how it looks after the next one."""
    killed = run(url, file, root, death) < 0
    before = DiskStore(root, fsync=False).has(file.sha256)
    code = run(url, file, root, Death(file.size + 1, 0))
    content = (root / "files" / file.sha256[:2] / file.sha256).read_bytes()
    whole = code == 0 and hashlib.sha256(content).hexdigest() == file.sha256
    left = [path.name for path in (root / "partial").iterdir() if path.suffix != ".lock"]
    shutil.rmtree(root)
    return {"killed": killed and not before, "whole": whole, "left": left}


def main(url: str, sha256: str, size: str, folder: str, seed: str) -> None:
    choice, file = random.Random(int(seed)), Wanted(sha256, int(size))
    death = Death(file.size + 1, 0)
    for _ in sys.stdin:
        told = one_round(url, file, Path(folder), death)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        delay = choice.uniform(0, LONGEST_DELAY_SECONDS)
        death = Death(choice.randrange(1, file.size), delay)


if __name__ == "__main__":
    main(*sys.argv[1:])
