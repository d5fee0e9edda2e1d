"""What a shelf holds, written for other tools: one module an export, with `EXPORT`.

To add one, add a file that is named like the export and offers `EXPORT`. It gets `Contents`, all
that an export may tell; equal shelves give equal text, so no time and no path of a machine is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import quote

from modelshelf.client.released import release_of
from modelshelf.client.shelf import Shelf
from modelshelf.errors import Invalid, UsageError
from modelshelf.package import manifest
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Lock, Locked, LockedArtifact, LockedFile
from modelshelf.package.record import Record
from modelshelf.package.version import Version
from modelshelf.package.vocabularies import nearest
from modelshelf.plugins import offered


class Held(NamedTuple):
    """One release of the shelf with what of it is installed; `needs` are `key`s of others here.

    `record` is what the publisher wrote, None where its file is not in the release any more.
    """

    entry: Entry
    record: Record | None
    registry: str
    folder: Path
    artifacts: tuple[LockedArtifact, ...]
    files: tuple[LockedFile, ...]
    needs: tuple[str, ...]
    bases: tuple[str, ...]

    @property
    def key(self) -> str:
        """`acme/x@1.2.0`."""
        return f"{self.entry.name}@{self.entry.version}"

    @property
    def title(self) -> str:
        """`acme/x 1.2.0`."""
        return f"{self.entry.name} {self.entry.version}"

    @property
    def page(self) -> str:
        """Where the registry shows the release."""
        return f"{self.registry.rstrip('/')}/{self.entry.name}/{self.entry.version}"

    @property
    def purl(self) -> str:
        """The package as a purl: of type `generic`, as no registered type is that of our registries.

        https://github.com/package-url/purl-spec: `repository_url` says where the name means it.
        """
        place = quote(self.registry, safe=":/")
        version = quote(self.entry.version, safe="")
        return f"pkg:generic/{self.entry.name}@{version}?repository_url={place}"


class Contents(NamedTuple):
    """What a shelf holds as one environment sees it: releases by name, `roots` are those asked for.

    `offline`: an export that asks others has to do with what is here.
    """

    held: tuple[Held, ...]
    roots: tuple[str, ...]
    offline: bool = False

    @property
    def digest(self) -> str:
        """Hex that is the same for the same files of the same releases, and for no others."""
        told = hashlib.sha256()
        for each in self.held:
            told.update(f"{each.key} {each.registry} {each.entry.manifest}\n".encode())
            told.update("".join(f"{file.path} {file.sha256}\n" for file in each.files).encode())
        told.update(" ".join(self.roots).encode())
        return told.hexdigest()


class Export(NamedTuple):
    """A way to write a shelf down: its name, what it is, the usual name of its file."""

    name: str
    description: str
    file: str
    write: Callable[[Contents], str]


def exports() -> dict[str, Export]:
    """All of them by name."""
    found = cast("Iterator[Export]", offered(__name__, "EXPORT"))
    return {each.name: each for each in found}


def find(name: str) -> Export:
    """The export called `name`. Raises UsageError with the nearest."""
    known = exports()
    if name not in known:
        raise UsageError(
            f"there is no export `{name}`",
            expected=", ".join(known),
            hint=nearest(name, list(known)),
        )
    return known[name]


def contents(shelf: Shelf, lock: Lock) -> Contents:
    """What `shelf` holds of `lock`, as one environment sees it; nothing is fetched.

    A release that is there several times, for packages that keep theirs apart, counts once. Raises
    LockStale where one is not all there.
    """
    found: dict[str, Held] = {}
    for package in lock.packages:
        each = _held(shelf, lock, package)
        found[each.key] = _joined(found[each.key], each) if each.key in found else each
    ordered = sorted(
        found.values(), key=lambda each: (each.entry.name, Version.parse(each.entry.version))
    )
    roots = _keys(lock, lock.requirements, "")
    return Contents(tuple(ordered), roots)


def _held(shelf: Shelf, lock: Lock, package: Locked) -> Held:
    folder = shelf.release(package)
    by_kind = {
        base: [on for on, need in package.dependencies.items() if (need.kind == "base") is base]
        for base in (False, True)
    }
    return Held(
        release_of(shelf, package),
        _record(folder),
        package.registry,
        folder,
        package.installed,
        package.installed_files(),
        _keys(lock, by_kind[False], package.isolated),
        _keys(lock, by_kind[True], package.isolated),
    )


def _keys(lock: Lock, names: Iterable[str], isolated: str) -> tuple[str, ...]:
    found = (lock.find(name, isolated) for name in names)
    return tuple(sorted(f"{each.name}@{each.version}" for each in found if each))


def _record(folder: Path) -> Record | None:
    try:
        return manifest.parse((folder / manifest.FILE).read_bytes())
    except (OSError, Invalid):
        return None


def _joined(one: Held, two: Held) -> Held:
    files = {file.path: file for file in (*one.files, *two.files)}
    artifacts = {(each.variant, each.files): each for each in (*one.artifacts, *two.artifacts)}
    return one._replace(
        artifacts=tuple(sorted(artifacts.values(), key=lambda each: (each.variant, each.format))),
        files=tuple(files[path] for path in sorted(files)),
        needs=tuple(sorted({*one.needs, *two.needs})),
        bases=tuple(sorted({*one.bases, *two.bases})),
    )
