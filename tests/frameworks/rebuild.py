"""Rebuild everything on one allow-list as a hostile pickle would, and tell what Python saw happen."""

from __future__ import annotations

import contextlib
import importlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "src" / "modelshelf" / "formats" / "allowed"
WATCHED = (
    "open", "exec", "compile", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
    "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.link", "os.symlink", "os.startfile",
    "subprocess.", "socket.", "shutil.", "ctypes.dlopen", "urllib.", "webbrowser.", "pty.",
)  # fmt: skip
HOSTILE = {"__name__": "x", "forward": "x", "_parse_arg_template": "raise SystemExit(9)", "x": 1}
STATES = [{}, HOSTILE, (None, HOSTILE), [], "import os", 7]
ARGUMENTS: list[tuple[Any, ...]] = [
    (),
    ("import os",),
    (1,),
    (2, 3),
    ([1.0],),
    (HOSTILE,),
    (None, 2, 3),
]

OWN = (sys.prefix, sys.base_prefix)
"""What lies there are the libraries themselves, some of which are imported late."""


CRASHING = {
    "sklearn.metrics._dist_metrics", "sklearn.neighbors._ball_tree", "sklearn.neighbors._kd_tree",
}  # fmt: skip
"""Compiled classes that end the process when they are filled with nonsense: no code, no answer."""


class Watch:
    """Notes what Python does while it is `on`."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event.startswith(WATCHED):
            source = str(getattr(arguments[0], "co_filename", arguments[0]))
            if not source.startswith(OWN):
                self.events.append(f"{event} {arguments!r:.300}")


class Given:
    """Pickles as a call of `made` with `arguments`, then a state."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


def pickles(value: Any) -> list[bytes]:
    """Every way in which a pickle makes and fills an object of `value`."""
    found = [pickle.dumps(Given(value, arguments), 2) for arguments in ARGUMENTS]
    states = [pickle.dumps(state, 2)[2:-1] for state in STATES]
    made = pickle.dumps(value, 2)[:-1]
    for state in states:
        found.append(made + b")\x81" + state + b"b.")
        found += [made + b")R" + state + b"b."]
        found += [made + b")\x81(" + state + each for each in (b"e.", b"N" + b"u.", b"\x90.")]
    return found


def main(name: str) -> None:
    """Import all first: what an import runs is the library's own."""
    named: dict[str, list[str]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    values = []
    for module, names in named.items():
        if module in CRASHING:
            continue
        with contextlib.suppress(ImportError):
            there = importlib.import_module(module)
            values += [(each, getattr(there, each)) for each in names if hasattr(there, each)]
    watch = Watch()
    sys.addaudithook(watch)
    told = set()
    for watch.on in (False, True):  # the first time brings the late imports
        for each, value in values:
            for content in pickles(value):
                watch.events.clear()
                with contextlib.suppress(Exception):
                    pickle.loads(content)
                told |= {f"{each}: {event}" for event in watch.events}
    sys.stdout.write(json.dumps(sorted(told)) + "\n")


main(sys.argv[1])
