"""The process in which one reader reads mutated files: bounded, watched, and telling what happened.

    python -m tests.fuzz.child FORMAT SEED START COUNT FOLDER

Writes each number to `FOLDER/at` before it reads (whoever waits sees where it died), one JSON line
on standard output for everything worth telling, and totals at the end.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import resource
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from modelshelf import formats
from modelshelf.errors import FormatError, NotFound
from tests.fuzz.mutations import Turn, mutated
from tests.fuzz.seeds import Seed, seeds

MEMORY_BYTES = 200 * 1024 * 1024
SLOW_SECONDS = 1.0
HANG_SECONDS = 10.0
ROOT = Path(__file__).parents[2]

# Events of the interpreter that only look; all others count as code that ran.
HARMLESS = {
    "object.__getattr__", "sys._getframe", "array.__new__", "builtins.id", "gc.get_objects",
    "mmap.__new__", "fcntl.fcntl", "os.fwalk", "marshal.loads",
}  # fmt: skip
FOLDERS = {
    "os.listdir",
    "os.scandir",
    "glob.glob",
    "pathlib.Path.glob",
    "os.walk",
    "pathlib.Path.rglob",
}
ALLOWED = {"modelshelf"} | sys.stdlib_module_names - {
    "subprocess", "socket", "ctypes", "pickle", "marshal", "multiprocessing", "urllib", "http", "runpy",
    "pty", "shelve", "code", "site", "asyncio", "ftplib", "smtplib", "webbrowser", "venv", "ensurepip",
}  # fmt: skip
"""What a reader may import while it reads: the rest of the standard library has no business there."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
OURS = [sys.base_prefix, sys.prefix, str(ROOT / "src"), sysconfig.get_path("stdlib")]


class Hang(BaseException):
    """A read took so long that it was stopped."""


class CodeRan(BaseException):
    """Something was about to run, be imported, be opened or be written that no reader needs."""


class Watch:
    """Hears every event of the interpreter while it is `armed`."""

    def __init__(self, folder: Path) -> None:
        self.armed = False
        self.heard: list[str] = []
        self._allowed = [str(folder), *OURS]
        self._temporary = tempfile.gettempdir()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.armed and (why := self._wrong(event, arguments)):
            self.heard.append(why)
            raise CodeRan(why)

    def _wrong(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event in HARMLESS:
            return None
        first: Any = arguments[0] if arguments else None
        match event:
            case "compile":  # `ast.parse` names no file, and gives a tree that nobody runs
                harmless = arguments[1] in ("<unknown>", b"<unknown>")
            case "exec":
                harmless = self._is_ours(first.co_filename) if first is not None else False
            case "import":
                top = str(first).split(".")[0]
                harmless = top in ALLOWED
            case "open":
                reads = not (arguments[2] or 0) & WRITING
                # a nameless file, and what the parser opens to show the line of a mistake
                nameless = first in (self._temporary, "<unknown>")
                ours = isinstance(first, int) or self._is_ours(os.fsdecode(first))
                harmless = nameless or (reads and ours)
            case _ if event in FOLDERS:
                harmless = first is not None and self._is_ours(os.fsdecode(first))
            case _:
                harmless = False
        return None if harmless else f"{event} {str(arguments)[:200]}"

    def _is_ours(self, path: str) -> bool:
        real = os.path.normpath(os.path.join(os.getcwd(), path))  # noqa: PTH109, PTH118
        return any(real == each or real.startswith(each + os.sep) for each in self._allowed)


class Case:
    """One mutated model in its folder; the same for the same words and number."""

    def __init__(self, name: str, seed: str, number: int, every: dict[str, list[Seed]]) -> None:
        chance = Random(f"{seed}/{name}/{number}")
        self.seed = chance.choice(every[name])
        others = [each for found in every.values() for one in found for each in one.files.values()]
        target = self.seed.carrier
        if len(self.seed.files) > 1 and chance.random() < 0.3:
            target = chance.choice(sorted(self.seed.files))
        self.files = dict(self.seed.files)
        self.files[target] = mutated(Turn(chance, name, others), self.files[target])
        if len(self.files) > 1 and chance.random() < 0.05:
            gone = chance.choice([each for each in sorted(self.files) if each != self.seed.carrier])
            del self.files[gone]

    def written(self, folder: Path) -> Path:
        """Write the files; gives the one to read."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.seed.carrier


def outcome(path: Path, name: str, watch: Watch, *, detect: bool) -> tuple[str, str]:
    """Read; gives what came of it and, where it is worth telling, why."""
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    watch.heard.clear()
    began = time.process_time()
    try:
        watch.armed = True
        if detect:
            formats.detect(path)
        formats.read(path, name)
        result = ("answer", "")
    except (FormatError, NotFound) as error:
        result = _refused(error)
    except Hang:
        return "hang", f"more than {HANG_SECONDS} s of processor time"
    except CodeRan as why:
        result = ("code", str(why))
    except BaseException as error:  # noqa: BLE001  whatever gets out is a finding
        result = ("crash", _told(error))
    finally:
        watch.armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
    if watch.heard:  # also where a reader swallowed it
        return "code", "; ".join(watch.heard[:3])
    spent = time.process_time() - began
    return ("slow", f"{spent:.1f} s") if spent > SLOW_SECONDS else result


def _refused(error: Exception) -> tuple[str, str]:
    cause = error.__cause__
    if "cannot be read as" not in str(error) or cause is None or isinstance(cause, FormatError):
        return "refused", ""
    return ("memory" if isinstance(cause, MemoryError) else "caught"), _told(cause)


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if "modelshelf" in each.filename] or frames[-1:]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}" if ours else "?"
    return f"{type(error).__name__} at {place}: {str(error)[:80]}"


def _bounded() -> int:
    """Let this process take so many bytes more than now; gives what it has resident now."""
    taken, resident = Path("/proc/self/statm").read_text().split()[:2]
    limit = int(taken) * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return int(resident) * resource.getpagesize()


def _stop(*_: object) -> None:
    raise Hang


@contextlib.contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if sum(1 for _ in itertools.islice(folder.iterdir(), 2)) > 1:
        shutil.rmtree(folder)


def main(name: str, seed: str, start: int, count: int, folder: Path) -> None:
    """Read `count` mutated files, the first of them number `start`."""
    every = seeds()
    watch = Watch(folder)
    signal.signal(signal.SIGPROF, _stop)
    for each in every[name]:  # what is imported when it is first needed is imported now
        with _fresh(folder / "warm") as place:
            Case.written(_unchanged(each), place)
            formats.detect(place / each.carrier)
            formats.read(place / each.carrier, name)
    at = os.open(folder / "at", os.O_RDWR | os.O_CREAT)
    resident = _bounded()
    totals: Counter[str] = Counter()
    for number in range(start, start + count):
        os.pwrite(at, str(number).ljust(12).encode(), 0)
        with _fresh(folder / "case") as place:
            path = Case(name, seed, number, every).written(place)
            what, why = outcome(path, name, watch, detect=number % 4 == 0)
        totals[what] += 1
        if why:
            _say({"number": number, "what": what, "why": why})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
    _say({"totals": totals, "peak": max(peak, 0)})


def _say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _unchanged(seed: Seed) -> Case:
    case = object.__new__(Case)
    case.seed, case.files = seed, dict(seed.files)
    return case


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
