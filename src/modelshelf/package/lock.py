"""`shelf.lock`: which releases a shelf holds, byte for byte, and which of their artifacts.

The same values give the same text. Packages are in the order of their names, one key a line, so
that two people's changes merge.
"""

from __future__ import annotations

import re
import tomllib

import msgspec

from modelshelf.errors import Invalid
from modelshelf.package import name
from modelshelf.package.entry import Entry
from modelshelf.package.path import unsafe_path
from modelshelf.package.record import Dependency, Variant
from modelshelf.package.version import Version

FILE = "shelf.lock"
LOCK_VERSION = "1.0"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = "# Written by shelf. Change shelf.toml instead, then run: shelf install\n"


class LockedFile(msgspec.Struct, frozen=True):
    """One file of an artifact: path below the package's folder, bytes, sha256."""

    path: str
    size: int
    sha256: str


class LockedArtifact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One artifact of the release; `installed` where the shelf holds its files."""

    variant: str
    format: str
    contexts: tuple[str, ...]
    files: tuple[LockedFile, ...]
    installed: bool = False


class Locked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One release of the shelf. `manifest` is the sha256 that covers the record and all files."""

    name: str
    version: str
    registry: str
    manifest: str
    commit: str
    number: int
    published: str
    license: str | None = None
    dependencies: dict[str, Dependency] = {}
    shared: tuple[LockedFile, ...] = ()
    artifacts: tuple[LockedArtifact, ...] = ()

    def installed_files(self) -> tuple[LockedFile, ...]:
        """Files the shelf holds: those of the installed artifacts and what they share, by path."""
        found = {file.path: file for file in self.shared}
        for artifact in self.artifacts:
            if artifact.installed:
                found.update({file.path: file for file in artifact.files})
        return tuple(found[path] for path in sorted(found))


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked for and what answers it."""

    requirements: dict[str, Dependency] = {}
    packages: tuple[Locked, ...] = ()
    version: str = LOCK_VERSION

    def find(self, wanted: str) -> Locked | None:
        """The release of the package called `wanted`, or None."""
        return next((each for each in self.packages if each.name == wanted), None)


def locked(entry: Entry, registry: str, selected: frozenset[tuple[str, str]]) -> Locked:
    """The release `entry` with the artifacts in `selected` (variant, format) installed."""
    by_path = {file.path: LockedFile(file.path, file.size, file.sha256) for file in entry.files}
    artifacts = tuple(
        LockedArtifact(
            variant.name,
            artifact.format,
            artifact.contexts,
            tuple(by_path[path] for path in artifact.files),
            installed=(variant.name, artifact.format) in selected,
        )
        for variant in entry.variants
        for artifact in variant.artifacts
    )
    return Locked(
        entry.name, entry.version, registry, entry.manifest, entry.commit, entry.number,
        entry.published, entry.license, entry.dependencies,
        tuple(file for path, file in sorted(by_path.items()) if path not in _weights(entry.variants)),
        artifacts,
    )  # fmt: skip


def _weights(variants: tuple[Variant, ...]) -> set[str]:
    return {p for variant in variants for artifact in variant.artifacts for p in artifact.files}


def dumps(lock: Lock) -> str:
    """The text of `shelf.lock`."""
    import tomlkit

    document = msgspec.to_builtins(lock)
    document["packages"] = sorted(document.get("packages", ()), key=lambda each: each["name"])
    document["requirements"] = dict(sorted(document.get("requirements", {}).items()))
    ordered = {"version": LOCK_VERSION, **document}
    return _HEAD + tomlkit.dumps(ordered)


def loads(text: str) -> Lock:
    """The lock that `text` holds. Raises Invalid where it was edited by hand into something else."""
    try:
        document = tomllib.loads(text)
        if document.get("version") != LOCK_VERSION:
            raise Invalid(
                f"this lock has version {document.get('version')}, not {LOCK_VERSION}",
                where=FILE,
                hint="upgrade modelshelf, or delete the lock and install again",
            )
        lock = msgspec.convert(document, Lock)
    # ValueError: TOML that is wrong, and whole numbers with thousands of digits
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from None
    for each in lock.packages:
        if wrong := _wrong(each):
            raise _unreadable(f"{each.name[:80]}: {wrong}")
    return lock


def _wrong(each: Locked) -> str | None:
    """What must not steer where files are written: a lock may come with a stranger's project."""
    if wrong := name.problem(each.name):
        return wrong
    files = (*each.shared, *(file for artifact in each.artifacts for file in artifact.files))
    for file in files:
        if wrong := unsafe_path(file.path):
            return f"`{file.path[:80]}`: {wrong}"
        if not _SHA256.fullmatch(file.sha256) or file.size < 0:
            return f"`{file.path[:80]}` has no sha256 and size"
    try:
        Version.parse(each.version)
    except Invalid as error:
        return error.message
    return None


def _unreadable(why: str) -> Invalid:
    return Invalid(
        f"the lock cannot be read: {why}",
        where=FILE,
        hint="restore it from version control, or delete it and install again",
    )
