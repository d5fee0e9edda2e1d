"""A campaign over one reader: children one after the other, until every number was read."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.child import ROOT, Case
from tests.fuzz.seeds import Seed

STUCK_SECONDS = 60
BAD = ("crash", "hang", "slow", "memory", "code")
COLUMNS = ("answer", "refused", "caught", *BAD)


@dataclass
class Told:
    """What came of a campaign: how often what, and of each bad or caught kind where and why."""

    totals: Counter[str] = field(default_factory=Counter)
    peak_bytes: int = 0
    events: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def bad(self) -> list[tuple[int, str, str]]:
        """The events that must not be."""
        return [each for each in self.events if each[1] in BAD]

    @property
    def caught(self) -> Counter[str]:
        """Exceptions that only `formats.read` turned into refusals, by place."""
        return Counter(place(why) for _, what, why in self.events if what == "caught")


def place(why: str) -> str:
    """The exception and where it came from, without its words."""
    return why.split(": ", 1)[0]


def campaign(name: str, seed: str, count: int, start: int = 0) -> Told:
    """Read numbers `start` to `start + count` of a format's mutated files."""
    told = Told()
    end = start + count
    while start < end:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            died = _child(name, seed, start, end - start, Path(folder), told)
        if died is None:
            break
        number, why = died
        told.events.append((number, "hang" if why == "stuck" else "crash", why))
        told.totals["hang" if why == "stuck" else "crash"] += 1
        start = number + 1
    return told


def _child(
    name: str, seed: str, start: int, count: int, folder: Path, told: Told
) -> tuple[int, str] | None:
    """Run one child; where it died or had to be ended, gives the number that it was at and why."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.child",
        name,
        seed,
        str(start),
        str(count),
        str(folder),
    ]
    # to a file: a full pipe that nobody reads would stop the child
    with (
        (folder / "words").open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as child,
    ):
        stuck = threading.Event()
        threading.Thread(target=_wait, args=(child, folder / "at", stuck), daemon=True).start()
        assert child.stdout is not None
        finished = [_heard(line, told) for line in child.stdout]
    words = (folder / "words").read_text(errors="replace")
    if any(finished):
        return None
    if not (folder / "at").exists():
        raise RuntimeError(f"the child did not begin: {words[-2000:]}")
    at = int((folder / "at").read_text())
    return at, "stuck" if stuck.is_set() else f"ended with {child.returncode}: {words[-300:]}"


def _heard(line: str, told: Told) -> bool:
    said = json.loads(line)
    if "totals" in said:
        told.totals.update(said["totals"])
        told.peak_bytes = max(told.peak_bytes, said["peak"])
        return True
    told.events.append((said["number"], said["what"], said["why"]))
    return False


def _wait(child: subprocess.Popen[str], at: Path, stuck: threading.Event) -> None:
    """End a child that is at the same number for too long."""
    last = None
    while True:
        try:
            child.wait(STUCK_SECONDS)
        except subprocess.TimeoutExpired:
            here = at.read_text() if at.exists() else None
            if here is not None and here == last:
                stuck.set()
                child.kill()
                return
            last = here
        else:
            return


def kept(name: str, seed: str, number: int, every: dict[str, list[Seed]], folder: Path) -> Path:
    """Write the files of one number to `folder`; gives the one that was read."""
    place = folder / f"{name}-{seed}-{number}"
    place.mkdir(parents=True, exist_ok=True)
    return Case(name, seed, number, every).written(place)
