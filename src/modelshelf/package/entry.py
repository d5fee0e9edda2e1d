"""A published release as one line of the registry's index: all that resolving and installing need.

`GET /index/{publisher}/{name}.jsonl` holds one `Entry` a line, in publication order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from modelshelf.package.record import Dependency, Record, Requires, Variant
from modelshelf.package.requirement import Requirement
from modelshelf.package.signature import Signature
from modelshelf.package.version import Version

Status = Literal["active", "archived", "deprecated", "quarantined"]
Level = Literal["patch", "minor", "major"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the smallest step to the largest."""
Axis = Literal["algorithm", "code", "data", "tensors"]
AXES: tuple[Axis, ...] = get_args(Axis)
Severity = Literal["note", "code", "blocked"]
"""How much something found in a file weighs: worth knowing; runs the publisher's code, so a user
must consent; on no allow-list, so nobody gets it unless an operator decides otherwise."""
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From light to heavy."""


class File(msgspec.Struct, frozen=True):
    """One file of a release, with the three hashes that foreign clients ask for.

    `path` is relative, with forward slashes; `size` in bytes; `git` is git's blob sha1.
    """

    path: str
    size: int
    sha256: str
    git: str
    md5: str


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a release is to the one before it, computed from both.

    `level` says whether a caller may break, `axes` what moved (algorithm, code, data, tensors).
    `unverified` where weights moved and no golden set tells how they behave. `override` is the
    publisher's reason for a version lower than the changes ask for.
    """

    previous: str
    level: Level
    axes: tuple[Axis, ...] = ()
    unverified: bool = False
    override: str | None = None


class Scan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the scanner said of a release's files, by which version of its rules.

    `decision` is the operator's reason for letting through what was blocked.
    """

    verdict: Severity
    rules: int
    decision: str | None = None

    @property
    def withholds(self) -> bool:
        """Whether nobody gets the release: it is blocked, and no operator let it through."""
        return self.verdict == "blocked" and self.decision is None


class Upstream(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an imported release comes from: the hub, its name there, and where the hub shows it.

    `gone` says why its files cannot be had there any more.
    """

    hub: str
    handle: str
    url: str
    gone: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release as the index shows it. `yanked` holds the reason; `published` is RFC 3339, UTC.

    Its four names are `version`, `commit` (40 hex), `number` (n-th release) and `manifest`
    (sha256 of the canonical JSON of the release, which is itself a file of the registry).

    A release that is only `described` has no files of models, at most a text: the registry tells
    what another hub (`upstream`) says of it. It is replaced where that hub says something else, or
    where the files come.
    """

    name: str
    version: str
    commit: str
    number: int
    manifest: str
    published: str
    files: tuple[File, ...]
    variants: tuple[Variant, ...]
    license: str | None = None
    dependencies: dict[str, Dependency] = {}
    requires: Requires = Requires()
    signatures: dict[str, Signature] = {}
    yanked: str | None = None
    status: Status = "active"
    successor: str | None = None
    change: Change | None = None
    scan: Scan | None = None
    upstream: Upstream | None = None
    described: bool = False

    @property
    def choosable(self) -> bool:
        """Whether a shelf that does not hold the release yet may choose it."""
        withheld = self.described or (self.scan is not None and self.scan.withholds)
        return self.yanked is None and self.status != "quarantined" and not withheld


def unavailable(entry: Entry) -> str | None:
    """Why nobody can install a release that is only described, in one line; None for another."""
    if not entry.described:
        return None
    if entry.upstream is None:
        return "described only"
    if entry.upstream.gone:
        return f"described only, and its files are gone upstream: {entry.upstream.gone}"
    return f"described only: its files are at {entry.upstream.url}"


def advisory(entry: Entry | None) -> str | None:
    """What the registry warns of, in a few words."""
    if entry is None:
        return "deleted from the registry"
    if entry.yanked:
        return f"yanked: {entry.yanked}"
    if entry.described:
        return unavailable(entry)
    if entry.scan is not None and entry.scan.withholds:
        return "blocked by the registry's scanner"
    if entry.status in ("deprecated", "quarantined"):
        return entry.status + (f", use {entry.successor}" if entry.successor else "")
    return None


def predecessor(entries: Iterable[Entry], version: str, *, described: bool = False) -> Entry | None:
    """The release that `version` is compared with: the highest below it that is not yanked.

    A yanked one counts where its callers (those of its first number; second, below 1.0.0) have no
    other: else who yanks it could break them and offer it again. A pre-release counts only where
    nothing else is below; None for a first release. What was only described has no callers: it
    counts for another one that is.
    """
    own = Version.parse(version)
    below = [
        ((not parsed.prerelease, same, entry.yanked is None, parsed), entry)
        for entry in entries
        if (described or not entry.described)
        and (parsed := Version.parse(entry.version)) < own
        and ((same := _line(parsed) == _line(own)) or entry.yanked is None)
    ]
    return max(below, key=lambda each: each[0], default=(None, None))[1]


def _line(version: Version) -> tuple[int, int]:
    return version.major, 0 if version.major else version.minor


def answering(entries: Iterable[Entry], wanted: Dependency) -> Entry | None:
    """The newest release in the range of `wanted` that may be chosen; None where there is none."""
    inside = Requirement.parse(wanted.version)
    found = [
        (version, entry)
        for entry in entries
        if entry.choosable and inside.matches(version := Version.parse(entry.version))
    ]
    return max(found, key=lambda each: each[0], default=(None, None))[1]


def commit_name(files: tuple[File, ...]) -> str:
    """The release's 40-hex name: sha1 over the sorted lines `path NUL sha256 LF`."""
    digest = hashlib.sha1(usedforsecurity=False)
    for file in sorted(files, key=lambda file: file.path):
        digest.update(f"{file.path}\0{file.sha256}\n".encode())
    return digest.hexdigest()


def draft(record: Record) -> Entry:
    """The entry of a release that is not published yet: without files, number and names."""
    package = record.package
    return Entry(
        name=package.name,
        version=package.version,
        commit="",
        number=0,
        manifest="",
        published="",
        files=(),
        variants=record.variants,
        license=package.license,
        dependencies=record.dependencies,
        requires=record.requires,
        signatures=record.signatures,
    )
