"""Running a program to learn which models it loads: through modelshelf, and through others.

The program runs in a process of its own, which writes down what it loads as it loads it (see
`traced`); what was written is read when it has ended, however it ended.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelshelf.checks.safety.consent import carries_code
from modelshelf.client import traced
from modelshelf.client.released import release_of
from modelshelf.client.shelf import FOLDER, Shelf
from modelshelf.errors import NotFound, ShelfError
from modelshelf.package.edit import set_dependency
from modelshelf.package.record import Dependency, default_variant
from modelshelf.package.variant import named, negotiated
from modelshelf.package.version import Version
from modelshelf.plugins import module_names

MOST_LINES = 100_000
LONGEST_LINE_BYTES = 100_000
HOOK = Path(traced.__file__).with_name("__main__.py")

Event = dict[str, Any]
Fetched = dict[str, tuple[int | None, str | None]]


class Program(NamedTuple):
    """What is run: a script, a folder or zip with a `__main__.py`, or a `module` by its name."""

    name: str
    arguments: tuple[str, ...] = ()
    module: bool = False
    python: str = sys.executable

    def command(self, events: Path) -> list[str]:
        """The command line. Raises NotFound where there is no such program or Python."""
        python = shutil.which(self.python)
        if python is None:
            raise NotFound(f"there is no Python `{self.python}`", hint="name it with --python")
        if not self.module and not Path(self.name).exists():
            raise NotFound(f"there is no program {self.name}", hint="a module is run with -m")
        kind = "module" if self.module else "script"
        return [python, str(HOOK), str(events), kind, self.name, *self.arguments]


class Package(NamedTuple):
    """A package that was loaded through modelshelf: which of it, from which shelf."""

    name: str
    version: str
    models: tuple[tuple[str, str], ...]
    """Variant and format of each model, in the order of loading."""
    shelf: Path

    def dependency(self) -> Dependency:
        """What to write so that others get the same: variants and format where not the default."""
        variants = tuple(dict.fromkeys(variant for variant, _ in self.models))
        formats = {each for _, each in self.models}
        shelf = Shelf(self.shelf)
        registry = None
        with suppress(ShelfError):
            locked = shelf.locked(self.name)
            asked = shelf.lock().requirements.get(self.name)
            registry = asked.registry if asked else None
            entry = release_of(shelf, locked)
            usual = (negotiated(named(entry.variants, v), _ANY, carries_code) for v in variants)
            if formats == {each.format for each in usual if each}:
                formats = set()
            if variants == (default_variant(entry.variants).name,):
                variants = ()
        return Dependency(
            f"^{self.version}",
            registry=registry,
            variants=variants,
            format=formats.pop() if len(formats) == 1 else None,
        )


class Foreign(NamedTuple):
    """Something that was loaded `through` another way, and what would pin it, as far as known."""

    through: str
    what: str
    pin: str | None
    hint: str | None


class Told(NamedTuple):
    """What a program loaded until it ended with `exit_code`; `failed` is what could not be seen."""

    exit_code: int
    packages: tuple[Package, ...]
    foreign: tuple[Foreign, ...]
    failed: tuple[str, ...]


def trace(program: Program, *, stdout: int | None = None) -> Told:
    """Run `program` with our own input and outputs (`stdout`: a file descriptor instead).

    Raises NotFound where there is no such program.
    """
    with tempfile.TemporaryDirectory(prefix="modelshelf-trace-") as folder:
        file = Path(folder, "events")
        file.touch()
        code = _run(program.command(file), stdout)
        events = list(_read(file))
        loaded = [each for each in events if "failed" not in each]
        failed = dict.fromkeys(f"{e['through']}: {e['failed']}" for e in events if "failed" in e)
        return Told(code, _packages(loaded), _foreign(loaded), tuple(failed))


def missing(told: Told, shelf: Shelf) -> dict[str, Dependency]:
    """What `told` asks for and the project at `shelf` does not want yet."""
    known = shelf.project().dependencies
    return {each.name: each.dependency() for each in told.packages if each.name not in known}


def write(shelf: Shelf, wanted: Mapping[str, Dependency]) -> None:
    """Add `wanted` to the project's file; the caller is alone with the shelf."""
    text = shelf.text()
    for name, each in wanted.items():
        text = set_dependency(text, name, each, above=shelf.above)
    shelf.parse(text)
    shelf.write_project(text)


_ANY = Dependency("*")


def _run(command: list[str], stdout: int | None) -> int:
    """The exit code, as a shell tells it: 128 and the number of the signal that killed it."""
    process = subprocess.Popen(command, stdout=stdout)  # noqa: S603 (the user asked for it)
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # the program was told as well, and decides for itself
        return 128 - code if code < 0 else code


def _read(file: Path) -> Iterator[Event]:
    """The events; the last line may have been cut off, and the program may delete what it likes."""
    with suppress(FileNotFoundError), file.open("rb") as lines:
        for line in islice(iter(lambda: lines.readline(LONGEST_LINE_BYTES), b""), MOST_LINES):
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and isinstance(event.get("through"), str):
                    yield event


def _packages(events: list[Event]) -> tuple[Package, ...]:
    """Every package once; of several versions, as two shelves may have, the newest."""
    found: dict[str, Package] = {}
    for each in events:
        if each["through"] != "modelshelf":
            continue
        name, version = each["name"], each["version"]
        before = found.get(name)
        model = (each["variant"], each["format"])
        if before is None or Version.parse(version) > Version.parse(before.version):
            found[name] = Package(name, version, (model,), _root(Path(each["folder"])))
        elif version == before.version and model not in before.models:
            found[name] = before._replace(models=(*before.models, model))
    return tuple(found[name] for name in sorted(found))


def _root(folder: Path) -> Path:
    """The shelf that the folder of a release belongs to."""
    return next((up.parent for up in folder.parents if up.name == FOLDER), folder)


def _foreign(events: list[Event]) -> tuple[Foreign, ...]:
    """What each loader tells; an address that a loader asked for is told of by that one only."""
    modules = [
        importlib.import_module(f"{traced.__name__}.{name}")
        for name in module_names(traced.__name__)
    ]
    through = {
        module.THROUGH: [e for e in events if e["through"] == module.THROUGH] for module in modules
    }
    urls = through.pop("URL", [])
    others = [each for same in through.values() for each in same if "url" in each]
    asked = {each["url"] for each in others}
    through["URL"] = [each for each in urls if each["url"] not in asked]
    fetched = _fetched(urls, others)
    return tuple(
        Foreign(module.THROUGH, row["what"], row["pin"], row["hint"])
        for module in modules
        for row in module.told(through[module.THROUGH], fetched)
    )


def _fetched(urls: list[Event], others: list[Event]) -> Fetched:
    """Size and sha256 by address: of what arrived, else of the file that was there already."""
    found: Fetched = {}
    for each in urls:
        if each["sha256"] or each["url"] not in found:
            found[each["url"]] = (each["size"], each["sha256"])
    for each in others:
        if found.get(each["url"], (None, None))[1] is None and each.get("file"):
            with suppress(OSError):
                found[each["url"]] = _digest(Path(each["file"]))
    return found


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def as_json(wanted: Mapping[str, Dependency]) -> list[dict[str, object]]:
    """The dependencies as programs read them."""
    return [{"name": name, **msgspec.to_builtins(each)} for name, each in wanted.items()]
