"""`shelf.lock`: which releases answer a project, in every environment that it is made for.

The same values give the same text. Packages are in the order of their names, one key a line, so
that two people's changes merge; a lock with the marks of a merge is read as both of its sides.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modelshelf.errors import Invalid, LockStale
from modelshelf.package import name
from modelshelf.package.entry import Entry, File, commit_name, draft
from modelshelf.package.environment import ANYWHERE, Environment
from modelshelf.package.path import unsafe_path
from modelshelf.package.record import Dependency, Record, Variant
from modelshelf.package.requirement import Requirement
from modelshelf.package.toml_text import DEEP_KEY, pairs
from modelshelf.package.variant import Key
from modelshelf.package.version import Version

FILE = "shelf.lock"
LOCK_VERSION = "2.0"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEAD = "# Written by shelf. Change shelf.toml instead, then run: shelf lock\n"


class LockedFile(msgspec.Struct, frozen=True):
    """One file of an artifact: path below the package's folder, bytes, sha256."""

    path: str
    size: int
    sha256: str


class LockedArtifact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One artifact of the release; `environments` are those whose shelves hold its files."""

    variant: str
    format: str
    contexts: tuple[str, ...]
    files: tuple[LockedFile, ...]
    precision: str | None = None
    environments: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether a shelf holds its files."""
        return bool(self.environments)

    @property
    def key(self) -> Key:
        """Which artifact of the release it is."""
        return self.variant, self.format, self.precision


class Locked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One release. `manifest` is the sha256 of the document that holds its record and its files.

    `isolated` names the package that it is there for, where that one keeps what it needs apart.
    """

    name: str
    version: str
    registry: str
    manifest: str
    commit: str
    number: int
    published: str
    license: str | None = None
    isolated: str = ""
    dependencies: dict[str, Dependency] = {}
    shared: tuple[LockedFile, ...] = ()
    artifacts: tuple[LockedArtifact, ...] = ()

    @property
    def installed(self) -> tuple[LockedArtifact, ...]:
        """The artifacts whose files a shelf holds."""
        return tuple(each for each in self.artifacts if each.installed)

    def installed_files(self) -> tuple[LockedFile, ...]:
        """Files the shelf holds: those of the installed artifacts and what they share, by path."""
        found = {file.path: file for file in self.shared}
        for artifact in self.installed:
            found.update({file.path: file for file in artifact.files})
        return tuple(found[path] for path in sorted(found))

    def needed(self) -> Iterator[tuple[str, Dependency]]:
        """The packages that must be there with this one; what it was made from need not."""
        return ((on, need) for on, need in self.dependencies.items() if need.kind != "base")


class Lock(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked for, the environments that it is for, and what answers it."""

    requirements: dict[str, Dependency] = {}
    environments: dict[str, Environment] = {}
    packages: tuple[Locked, ...] = ()
    version: str = LOCK_VERSION

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the environments."""
        return tuple(self.environments or ANYWHERE)

    def find(self, wanted: str, isolated: str | None = None) -> Locked | None:
        """The release of the package `wanted`: what the package `isolated` sees, `""` what all share.

        Without `isolated` the one that was asked for, which may be there apart. Of a lock for
        several environments, the first of several; see `of`.
        """
        own = isolated
        if own is None:
            own = wanted if self.is_isolated(wanted) else ""
        found = [each for each in self.packages if each.name == wanted]
        return next((each for each in found if each.isolated == own), None)

    def is_isolated(self, wanted: str) -> bool:
        """Whether the package was asked for with all that it needs for itself."""
        need = self.requirements.get(wanted)
        return need is not None and need.isolated

    def of(self, environment: str) -> Lock:
        """The lock as the environment called so sees it: its packages, its artifacts.

        Raises LockStale where the lock is not made for it.
        """
        if environment not in self.names:
            raise LockStale(
                f"the lock is not made for an environment `{environment}`",
                where=FILE,
                expected=", ".join(self.names),
                hint=f"add a table [environments.{environment}] to shelf.toml, or name one of these",
            )
        seen = (_in(each, environment) for each in self.packages)
        return msgspec.structs.replace(self, packages=tuple(each for each in seen if each))


def _in(package: Locked, environment: str) -> Locked | None:
    artifacts = tuple(
        each
        if each.environments == (environment,)
        else msgspec.structs.replace(
            each, environments=(environment,) if environment in each.environments else ()
        )
        for each in package.artifacts
    )
    if not any(each.installed for each in artifacts):
        return None
    return msgspec.structs.replace(package, artifacts=artifacts)


def locked(
    entry: Entry,
    registry: str,
    selected: Mapping[Key, tuple[str, ...]],
    isolated: str = "",
) -> Locked:
    """The release `entry`; `selected` tells of its artifacts in which environments they are held."""
    by_path = {file.path: LockedFile(file.path, file.size, file.sha256) for file in entry.files}
    artifacts = tuple(
        LockedArtifact(
            variant.name,
            artifact.format,
            artifact.contexts,
            tuple(by_path[path] for path in artifact.files),
            artifact.precision,
            selected.get((variant.name, artifact.format, artifact.precision), ()),
        )
        for variant in entry.variants
        for artifact in variant.artifacts
    )
    return Locked(
        entry.name, entry.version, registry, entry.manifest, entry.commit, entry.number,
        entry.published, entry.license, isolated, entry.dependencies,
        tuple(file for path, file in sorted(by_path.items()) if path not in _weights(entry.variants)),
        artifacts,
    )  # fmt: skip


def _weights(variants: tuple[Variant, ...]) -> set[str]:
    return {p for variant in variants for artifact in variant.artifacts for p in artifact.files}


class _Document(msgspec.Struct, frozen=True):
    """The document that a release's `manifest` is the sha256 of."""

    record: Record
    files: tuple[File, ...]


def described(package: Locked, document: bytes) -> Entry:
    """The release that `document` describes, with the names that the lock has for it.

    The caller has checked the document's sha256. Raises LockStale where the lock says other things
    of the release than its document, so that nobody changed one of them by hand.
    """
    try:
        told = msgspec.json.decode(document, type=_Document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unreadable(f"the manifest of {package.name} is none: {error}") from None
    entry = msgspec.structs.replace(
        draft(told.record), files=told.files, manifest=package.manifest,
        commit=commit_name(told.files), number=package.number, published=package.published,
    )  # fmt: skip
    installed = {each.key: each.environments for each in package.installed}
    if locked(entry, package.registry, installed, package.isolated) != package:
        raise LockStale(
            f"the lock says other things of {package.name} {package.version} than its manifest",
            where=FILE,
            hint="it was changed by hand: delete the package's lines, then run: shelf lock",
        )
    return entry


def dumps(lock: Lock) -> str:
    """The text of `shelf.lock`."""
    document = msgspec.to_builtins(lock, order="deterministic")
    lines = [f'version = "{LOCK_VERSION}"']
    for table in ("requirements", "environments"):
        if table in document:
            lines += ["", f"[{table}]", *pairs(dict(sorted(document[table].items())))]
    for package in sorted(document.get("packages", ()), key=_place):
        lines += _package_lines(package)
    return _HEAD + "\n".join(lines) + "\n"


def _package_lines(package: dict[str, Any]) -> Iterator[str]:
    artifacts = package.pop("artifacts", ())
    needs = package.pop("dependencies", None)
    yield from ("", "[[packages]]", *pairs(package))
    if needs:
        yield from ("", "[packages.dependencies]", *pairs(dict(sorted(needs.items()))))
    for artifact in artifacts:
        yield from ("", "[[packages.artifacts]]", *pairs(artifact))


def _place(package: dict[str, Any]) -> tuple[object, ...]:
    return package["name"], package.get("isolated", ""), Version.parse(package["version"])


def loads(text: str) -> Lock:
    """The lock that `text` holds.

    Raises Invalid where it was edited by hand into something else, LockStale where it has the
    marks of a merge (see `merged`).
    """
    if _MARK.search(text):
        raise LockStale(
            "the lock has the marks of a merge", where=FILE, hint="resolve it with: shelf lock"
        )
    if DEEP_KEY.search(text):
        raise _unreadable("a key of more than 32 parts")
    try:
        document = tomllib.loads(text)
        if document.get("version") != LOCK_VERSION:
            raise Invalid(
                f"this lock has version {document.get('version')}, not {LOCK_VERSION}",
                where=FILE,
                hint="upgrade modelshelf, or delete the lock and run: shelf lock",
            )
        lock = msgspec.convert(document, Lock)
    # ValueError: TOML that is wrong, and whole numbers with thousands of digits
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from None
    for each in lock.packages:
        if wrong := _wrong(each, lock):
            raise _unreadable(f"{each.name[:80]}: {wrong}")
    for on, need in lock.requirements.items():
        if wrong := _wrong_want(on, need):
            raise _unreadable(f"{on[:80]}: {wrong}")
    return lock


_MARK = re.compile(r"^(<<<<<<<|\|\|\|\|\|\|\||=======|>>>>>>>)(?: .*)?\r?$", re.MULTILINE)


def merged(text: str) -> Lock:
    """What both sides of an unfinished merge chose, ours before theirs; for a lock made anew.

    A side that is no lock by itself counts for nothing.
    """
    sides: list[Lock] = []
    for dropped in ("theirs", "ours"):
        try:
            sides.append(loads(_side(text, dropped)))
        except (Invalid, LockStale):
            continue
    packages = {
        (each.name, each.isolated, each.version): each
        for side in reversed(sides)
        for each in side.packages
    }
    kept = {
        key: each
        for key, each in packages.items()
        if not sides or each in sides[0].packages or sides[0].find(each.name, each.isolated) is None
    }
    return Lock(packages=tuple(kept[key] for key in sorted(kept)))


def _side(text: str, dropped: str) -> str:
    """`text` without the other side of each conflict, and without what both came from."""
    part, kept = "both", []
    for line in text.splitlines(keepends=True):
        mark = _MARK.match(line)
        if mark is None:
            if part not in (dropped, "base"):
                kept.append(line)
            continue
        part = {"<": "ours", "|": "base", "=": "theirs", ">": "both"}[mark[1][0]]
    return "".join(kept)


def _wrong(each: Locked, lock: Lock) -> str | None:
    """What must not steer where files are written: a lock may come with a stranger's project."""
    if wrong := name.problem(each.name):
        return wrong
    if not _SHA256.fullmatch(each.manifest):
        return "it has no sha256 of a manifest"
    files = (*each.shared, *(file for artifact in each.artifacts for file in artifact.files))
    for file in files:
        if wrong := unsafe_path(file.path):
            return f"`{file.path[:80]}`: {wrong}"
        if not _SHA256.fullmatch(file.sha256) or file.size < 0:
            return f"`{file.path[:80]}` has no sha256 and size"
    if any({*artifact.environments} - {*lock.names} for artifact in each.artifacts):
        return "it is for an environment that the lock does not name"
    try:
        Version.parse(each.version)
    except Invalid as error:
        return error.message
    return next(filter(None, (_wrong_want(*want) for want in each.dependencies.items())), None)


def _wrong_want(on: str, need: Dependency) -> str | None:
    if wrong := name.problem(on):
        return wrong
    try:
        Requirement.parse(need.version)
    except Invalid as error:
        return error.message
    return None


def _unreadable(why: str) -> Invalid:
    return Invalid(
        f"the lock cannot be read: {why}",
        where=FILE,
        hint="restore it from version control, or delete it and run: shelf lock",
    )
