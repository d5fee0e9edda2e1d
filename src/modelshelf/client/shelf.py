"""What a project has: `shelf.toml` (wanted), `shelf.lock` (chosen), `.shelf/` (the files).

    .shelf/PUBLISHER/NAME/VERSION/   one release
    .shelf/environment               which environment of the lock this machine is
    .shelf/generations/N.json        the locks that were in force (see `generations`)
    .shelf/next.lock                 the lock that a running command is about to write
    .shelf/stamp                     what all files looked like after the last change

Writing `shelf.lock` is the moment of change: what it names was put in place before, what it no
longer names is taken away after.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path

from modelshelf.client.generations import Generations
from modelshelf.client.replacing import replace
from modelshelf.errors import Conflict, LockStale, NotFound, Refused, ShelfError, UsageError
from modelshelf.package import lock as locks
from modelshelf.package import manifest
from modelshelf.package.environment import DEFAULT
from modelshelf.package.lock import Lock, Locked
from modelshelf.package.manifest import Project
from modelshelf.package.path import ENTRY
from modelshelf.package.vocabularies import nearest

FOLDER = ".shelf"
STAMP = "stamp"
ENVIRONMENT = "MODELSHELF_ENVIRONMENT"
another_process_seconds = 120.0


class Shelf:
    """The shelf at `root`; reading it never changes it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.generations = Generations(self.folder / "generations")

    @classmethod
    def find(cls, start: Path | None = None) -> Shelf:
        """The shelf of `start` (default: the working directory) or of the nearest folder above.

        Where there is none, the shelf that would begin at `start`.
        """
        here = (start or Path.cwd()).absolute()
        return next((cls(each) for each in (here, *here.parents) if is_project(each)), cls(here))

    @classmethod
    def of_user(cls, home: Path) -> Shelf:
        """The shelf of a user, outside all projects."""
        return cls(home / "shelf")

    @property
    def file(self) -> Path:
        """What says what is wanted: `shelf.toml`, or `pyproject.toml` where that one does."""
        own = self.root / manifest.FILE
        return own if own.is_file() or not is_project(self.root) else self.root / manifest.PYPROJECT

    @property
    def above(self) -> tuple[str, ...]:
        """The tables above `[dependencies]` in `file`."""
        return manifest.TABLE if self.file.name == manifest.PYPROJECT else ()

    @property
    def coming(self) -> Path:
        """The lock that a running command, or one that was killed, is about to write."""
        return self.folder / "next.lock"

    def text(self) -> str:
        """The text of `file`, empty where there is none."""
        path = self.file
        try:
            return path.read_bytes().decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            self.parse(path.read_bytes())  # tells the line and the byte
            raise

    def parse(self, text: str | bytes) -> Project:
        """What `text`, to be written to `file`, wants. Raises Invalid with all problems."""
        return manifest.parse_project(text, self.file.name)

    def project(self) -> Project:
        """What is wanted. Raises Invalid with all problems."""
        return self.parse(self.text())

    def lock_text(self) -> str:
        """The text of `shelf.lock`, empty where there is none."""
        try:
            return (self.root / locks.FILE).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise LockStale(
                f"the lock cannot be read: {error.reason} at byte {error.start}",
                where=locks.FILE,
                hint="restore it from version control, or delete it and run: shelf lock",
            ) from None

    def lock(self) -> Lock:
        """What `shelf.lock` holds, an empty lock where there is none. Raises Invalid, LockStale."""
        text = self.lock_text()
        return locks.loads(text) if text else Lock()

    def held(self) -> Lock:
        """The lock as the environment of this machine sees it."""
        lock = self.lock()
        return lock.of(self.environment(lock.names))

    def environment(self, names: tuple[str, ...], wanted: str | None = None) -> str:
        """Which of the environments `names` this machine is: `wanted`, else the one of last time.

        Raises UsageError where nobody knows.
        """
        kept = wanted or os.environ.get(ENVIRONMENT) or self._kept_environment()
        if kept in names:
            return kept
        if len(names) == 1 and not wanted:
            return names[0]
        if DEFAULT in names and not wanted:
            return DEFAULT
        raise UsageError(
            f"there is no environment `{wanted}`" if wanted else "which environment is this?",
            expected=", ".join(names),
            hint=nearest(wanted or "", list(names)) or f"name it: --environment or {ENVIRONMENT}",
        )

    def _kept_environment(self) -> str | None:
        try:
            return (self.folder / "environment").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return None

    def root_locks(self, generations: int | None = None) -> list[Lock]:
        """Every lock whose files must stay in the store: this one, the next one, former ones.

        Of the former ones only the newest `generations`. Raises Invalid, LockStale, OSError where
        one cannot be read; `where` is its file.
        """
        kept = self.generations.all()
        texts = {each.lock: each.place for each in kept[-(generations or len(kept)) :]}
        return _all_loaded(texts | self._texts())

    def locks_in_force(self) -> list[Lock]:
        """The lock of now, and of the change that is being made; raises as `root_locks`."""
        return _all_loaded(self._texts())

    def _texts(self) -> dict[str, str]:
        """The text of each lock in force, with its file: the next one is read before this one."""
        texts = {}
        if self.coming.is_file():
            texts[self.coming.read_text(encoding="utf-8")] = f"{FOLDER}/next.lock"
        texts[self.lock_text()] = locks.FILE
        return texts

    def locked(self, name: str, isolated: str | None = None) -> Locked:
        """The release of `name` on this shelf, or the one that the package `isolated` has of it.

        Raises NotFound with the nearest name, LockStale where it is wanted but not installed.
        """
        lock = self.held()
        found = lock.find(name, isolated)
        if found:
            return found
        if name in self.project().dependencies:
            raise LockStale(
                f"{name} is wanted but not installed",
                where=str(self.root),
                hint="run: shelf sync",
            )
        raise NotFound(
            f"{name} is not on this shelf",
            where=str(self.root),
            hint=nearest(name, [each.name for each in lock.packages])
            or f"run: shelf install {name}",
        )

    def write_entry(self, locked: Locked, text: str) -> None:
        """Replace the description of one release, whole or not at all."""
        replace(self.release(locked) / ENTRY, text)

    def release(self, locked: Locked) -> Path:
        """The folder of one release."""
        return self.folder / locked.name / locked.version

    @contextmanager
    def writing(self, lent: Callable[[Path], bool] = lambda _link: False) -> Iterator[None]:
        """Be the only one who changes this shelf. Raises Conflict after two minutes of waiting.

        `lent` tells of a symbolic link whether it leads to a file of a shared store.
        """
        from filelock import FileLock, Timeout

        self._require_own_folders(lent)
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        try:
            with FileLock(self.folder / "writing.lock", timeout=another_process_seconds):
                yield
        except Timeout:
            raise Conflict("another process is changing this shelf", where=str(self.root)) from None

    def _require_own_folders(self, lent: Callable[[Path], bool]) -> None:
        """A link in `.shelf/`, as a stranger's project may bring, leads writes and prunes elsewhere.

        Raises Refused.
        """
        below = chain([self.folder], self.folder.rglob("*"))
        link = next((path for path in below if path.is_symlink() and not lent(path)), None)
        if link is not None:
            raise Refused(
                "the shelf is reached through a symbolic link",
                where=str(link),
                hint="delete the link, then run: shelf install",
            )

    def write_project(self, text: str) -> None:
        """Replace `file`, whole or not at all."""
        replace(self.file, text)

    def write_next(self, text: str) -> None:
        """Say which lock comes: its files must stay in the store from now on."""
        replace(self.coming, text)

    def write_lock(self, text: str, environment: str | None = None) -> None:
        """Replace `shelf.lock`, whole or not at all; `environment` is what this machine is."""
        if environment is not None and self._kept_environment() != environment:
            replace(self.folder / "environment", environment + "\n")
        if text != self.lock_text():
            replace(self.root / locks.FILE, text)
        self.coming.unlink(missing_ok=True)

    def write_stamp(self, lock: Lock) -> None:
        """Note what the files look like now, so that the next command can see that all is there.

        Lines: modification time in ns, size, path; then the wanted names after `=`.
        """
        paths = [self.file, self.root / locks.FILE]
        if not all(path.exists() for path in paths):
            return  # nothing was ever wanted here
        for each in lock.packages:
            paths += [self.release(each) / file.path for file in each.installed_files()]
        lines = [f"{(stat := path.stat()).st_mtime_ns} {stat.st_size} {path}" for path in paths]
        lines += [f"={name}" for name in sorted(lock.requirements)]
        replace(self.folder / STAMP, "\n".join(lines))

    def forget_stamp(self) -> None:
        """Let the next command look at everything."""
        (self.folder / STAMP).unlink(missing_ok=True)

    def prune(self, lock: Lock) -> None:
        """Take away every file below `.shelf/` that `lock` does not name."""
        kept: dict[Path, set[Path]] = {}
        for each in lock.packages:
            version = self.release(each)
            kept.setdefault(version, set()).update(
                version / file.path for file in each.installed_files()
            )
        for version in self._releases():
            if version not in kept:
                shutil.rmtree(version, ignore_errors=True)
                continue
            for path in sorted(version.rglob("*"), reverse=True):
                if not path.is_dir() and path not in kept[version] and path.name != ENTRY:
                    path.unlink()
        for level in ("*/*", "*"):
            for folder in self.folder.glob(level):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def _releases(self) -> list[Path]:
        return [path for path in self.folder.glob("*/*/*") if path.is_dir()]


_parsed = lru_cache(512)(locks.loads)
"""Former locks never change, and a shelf can have many: reading one takes 30 ms."""


def _all_loaded(texts: dict[str, str]) -> list[Lock]:
    return [_loaded(text, where) for text, where in texts.items() if text]


def _loaded(text: str, where: str) -> Lock:
    try:
        return _parsed(text)
    except ShelfError as error:
        error.where = where
        raise


def is_project(folder: Path) -> bool:
    """Whether `folder` has a `shelf.toml`, or a `pyproject.toml` with a `[tool.modelshelf]`."""
    if (folder / manifest.FILE).is_file():
        return True
    try:
        text = (folder / manifest.PYPROJECT).read_bytes()
    except OSError:
        return False
    return b"modelshelf" in text and manifest.is_consumer(text)
