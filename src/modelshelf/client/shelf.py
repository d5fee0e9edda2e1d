"""What a project has: `shelf.toml` (wanted), `shelf.lock` (chosen), `.shelf/` (the files).

`.shelf/PUBLISHER/NAME/VERSION/` holds one release. Writing `shelf.lock` is the moment of change:
what it names was put in place before, what it no longer names is taken away after.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from modelshelf.errors import Conflict, LockStale, NotFound, Refused
from modelshelf.package import lock as locks
from modelshelf.package import manifest
from modelshelf.package.lock import Lock, Locked
from modelshelf.package.manifest import Project
from modelshelf.package.path import ENTRY
from modelshelf.package.vocabularies import nearest

FOLDER = ".shelf"
STAMP = "stamp"
another_process_seconds = 120.0


class Shelf:
    """The shelf at `root`; reading it never changes it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    @classmethod
    def find(cls, start: Path | None = None) -> Shelf:
        """The shelf of `start` (default: the working directory) or of the nearest folder above.

        Where there is none, the shelf that would begin at `start`.
        """
        here = (start or Path.cwd()).absolute()
        for folder in (here, *here.parents):
            if (folder / manifest.FILE).is_file():
                return cls(folder)
        return cls(here)

    def text(self) -> str:
        """The text of `shelf.toml`, empty where there is none."""
        path = self.root / manifest.FILE
        try:
            return path.read_bytes().decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            manifest.parse_project(path.read_bytes())  # tells the line and the byte
            raise

    def project(self) -> Project:
        """What `shelf.toml` wants. Raises Invalid with all problems."""
        return manifest.parse_project(self.text())

    def lock(self) -> Lock:
        """What `shelf.lock` holds, an empty lock where there is none."""
        try:
            return locks.loads((self.root / locks.FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Lock()

    def locked(self, name: str) -> Locked:
        """The release of `name` on this shelf.

        Raises NotFound with the nearest name, LockStale where it is wanted but not installed.
        """
        lock = self.lock()
        found = lock.find(name)
        if found:
            return found
        if name in self.project().dependencies:
            raise LockStale(
                f"{name} is wanted but not installed",
                where=str(self.root),
                hint="run: shelf install",
            )
        raise NotFound(
            f"{name} is not on this shelf",
            where=str(self.root),
            hint=nearest(name, [each.name for each in lock.packages])
            or f"run: shelf install {name}",
        )

    def write_entry(self, locked: Locked, text: str) -> None:
        """Replace the description of one release, whole or not at all."""
        _replace(self.release(locked) / ENTRY, text)

    def release(self, locked: Locked) -> Path:
        """The folder of one release."""
        return self.folder / locked.name / locked.version

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who changes this shelf. Raises Conflict after two minutes of waiting."""
        from filelock import FileLock, Timeout

        self._require_own_folders()
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        try:
            with FileLock(self.folder / "writing.lock", timeout=another_process_seconds):
                yield
        except Timeout:
            raise Conflict("another process is changing this shelf", where=str(self.root)) from None

    def _require_own_folders(self) -> None:
        """A link in `.shelf/`, as a stranger's project may bring, leads writes and prunes elsewhere.

        Raises Refused.
        """
        below = chain([self.folder], self.folder.rglob("*"))
        link = next((path for path in below if path.is_symlink()), None)
        if link is not None:
            raise Refused(
                "the shelf is reached through a symbolic link",
                where=str(link),
                hint="delete the link, then run: shelf install",
            )

    def write_project(self, text: str) -> None:
        """Replace `shelf.toml`, whole or not at all."""
        _replace(self.root / manifest.FILE, text)

    def write_lock(self, lock: Lock) -> None:
        """Replace `shelf.lock`, whole or not at all."""
        _replace(self.root / locks.FILE, locks.dumps(lock))

    def write_stamp(self) -> None:
        """Note what the files look like now, so that the next command can see that all is there.

        Lines: modification time in ns, size, path; then the wanted names after `=`.
        """
        lock = self.lock()
        paths = [self.root / manifest.FILE, self.root / locks.FILE]
        if not paths[0].exists():
            return  # nothing was ever wanted here
        for each in lock.packages:
            paths += [self.release(each) / file.path for file in each.installed_files()]
        lines = [f"{(stat := path.stat()).st_mtime_ns} {stat.st_size} {path}" for path in paths]
        lines += [f"={name}" for name in sorted(lock.requirements)]
        _replace(self.folder / STAMP, "\n".join(lines))

    def prune(self, lock: Lock) -> None:
        """Take away every file below `.shelf/` that `lock` does not name."""
        kept = {self.release(each): each for each in lock.packages}
        for version in self._releases():
            if version not in kept:
                shutil.rmtree(version, ignore_errors=True)
                continue
            files = {version / file.path for file in kept[version].installed_files()}
            for path in sorted(version.rglob("*"), reverse=True):
                if path.is_file() and path not in files and path.name != ENTRY:
                    path.unlink()
        for level in ("*/*", "*"):
            for folder in self.folder.glob(level):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def _releases(self) -> list[Path]:
        return [path for path in self.folder.glob("*/*/*") if path.is_dir()]


def _replace(path: Path, text: str) -> None:
    """Write beside, sync, rename: a reader sees the old text or the new one.

    The caller is alone (`Shelf.writing`); what a killed process left beside is taken away, as is
    a link: it would be written through.
    """
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
