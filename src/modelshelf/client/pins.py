"""Releases that the store keeps whatever happens: each is a lock of that one release.

home/pins/PUBLISHER/NAME/VERSION.lock
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import structs

from modelshelf.errors import NotFound, ShelfError
from modelshelf.package import lock as locks
from modelshelf.package.entry import Entry
from modelshelf.package.environment import DEFAULT
from modelshelf.package.lock import Lock, Locked, locked
from modelshelf.package.record import Dependency
from modelshelf.package.vocabularies import nearest

FOLDER = "pins"
_SUFFIX = ".lock"


def pinned(home: Path) -> dict[str, Lock]:
    """Every pin by its release, `name@version`.

    Raises ShelfError for one that cannot be read: then what it keeps is not known.
    """
    found = {}
    for path in sorted((home / FOLDER).glob(f"*/*/*{_SUFFIX}")):
        publisher, name = path.parts[-3:-1]
        release = f"{publisher}/{name}@{path.name.removesuffix(_SUFFIX)}"
        try:
            lock = locks.loads(path.read_text(encoding="utf-8"))
        except (ShelfError, OSError, ValueError) as error:
            raise ShelfError(
                f"a pin cannot be read: {error}",
                where=str(path),
                hint=f"delete the file, then run: shelf pin {release}",
            ) from None
        found[release] = lock
    return found


def whole(entry: Entry, registry: str) -> Locked:
    """The release with every artifact of every variant, for whoever shares the store."""
    release = locked(entry, registry, {})
    artifacts = (structs.replace(each, environments=(DEFAULT,)) for each in release.artifacts)
    return structs.replace(release, artifacts=tuple(artifacts))


def keep(home: Path, release: Locked) -> None:
    """Keep the release from now on; the caller holds the store's `quiet`."""
    lock = Lock({release.name: Dependency(f"={release.version}")}, packages=(release,))
    path = _path(home, f"{release.name}@{release.version}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(locks.dumps(lock))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def drop(home: Path, which: str) -> list[str]:
    """Forget the pin `name@version`, or all pins of `name`; gives the releases.

    Raises NotFound with the nearest pin.
    """
    known = [path.relative_to(home / FOLDER) for path in (home / FOLDER).glob(f"*/*/*{_SUFFIX}")]
    releases = sorted(
        f"{path.parent.as_posix()}@{path.name.removesuffix(_SUFFIX)}" for path in known
    )
    found = [each for each in releases if which in (each, each.partition("@")[0])]
    if not found:
        raise NotFound(
            f"{which} is not pinned",
            where=str(home / FOLDER),
            expected=", ".join(releases) or "nothing is pinned here",
            hint=nearest(which, releases),
        )
    for each in found:
        _path(home, each).unlink(missing_ok=True)
    return found


def _path(home: Path, release: str) -> Path:
    name, _, version = release.partition("@")
    return home / FOLDER / name / f"{version}{_SUFFIX}"
