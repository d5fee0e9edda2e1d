"""What changed from one release to the next, whether its callers may break, and what moved.

Every rule is a lint: `checks/semver/<area>.py` offers them as `LINTS`. A lint looks at both
contracts and yields what it found; its level says how large a step the finding asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from modelshelf.checks.contract import Contract
from modelshelf.package.entry import AXES, LEVELS, Axis, Level
from modelshelf.package.version import Version, level
from modelshelf.plugins import offered

Value = TypeVar("Value")


class _Two(NamedTuple):
    old: Contract
    new: Contract


class Pair(_Two):
    """Two releases of a package, the older one first."""

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gives, made once for all lints that ask by this `key`."""
        made: dict[Hashable, Any] = self.__dict__.setdefault("made", {})
        if key not in made:
            made[key] = make()
        value: Value = made[key]
        return value


class Found(NamedTuple):
    """What a lint found at one place.

    `element` is the dotted place in the record; `witness` an example of a call or value that the
    old release accepted or promised and the new one does not.
    """

    message: str
    element: str
    witness: str | None = None


class Lint(NamedTuple):
    """One rule. `about` says what it looks for and why that is of its `level`.

    `axis` is what moves where it finds something; `advice` tells callers what to do.
    """

    id: str
    level: Level
    about: str
    find: Callable[[Pair], Iterable[Found]]
    axis: Axis | None = None
    advice: str | None = None


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change: which lint found it, what it asks for, where, and what callers must do."""

    lint: str
    level: Level
    message: str
    element: str
    axis: Axis | None = None
    witness: str | None = None
    advice: str | None = None


class Diff(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that changed from `old` to `new` (versions), the largest changes first.

    `level` is what the changes ask for, `axes` what moved; `unverified` where weights moved and
    no golden set tells how they behave.
    """

    name: str
    old: str
    new: str
    level: Level
    axes: tuple[Axis, ...]
    findings: tuple[Finding, ...]
    unverified: bool = False


@cache
def lints() -> dict[str, Lint]:
    """Every lint, by id, in the order of the areas and of their tables."""
    tables = offered("modelshelf.checks.semver", "LINTS")
    return {lint.id: lint for table in tables for lint in cast("tuple[Lint, ...]", table)}


def diff(old: Contract, new: Contract) -> Diff:
    """Compare two releases; reads nothing but the two contracts."""
    pair = Pair(old, new)
    findings = [
        Finding(
            lint.id, lint.level, found.message, found.element, lint.axis, found.witness, lint.advice
        )
        for lint in lints().values()
        for found in lint.find(pair)
    ]
    findings.sort(key=lambda finding: -LEVELS.index(finding.level))
    moved = {finding.axis for finding in findings}
    return Diff(
        name=new.record.package.name,
        old=old.record.package.version,
        new=new.record.package.version,
        level=findings[0].level if findings else "patch",
        axes=tuple(axis for axis in AXES if axis in moved),
        findings=tuple(findings),
        unverified=any(finding.lint == "weights-changed" for finding in findings),
    )


def claimed(old: str, new: str) -> Level:
    """The largest level that the step between two versions may stand for.

    Below 1.0.0 the second number stands for major, the third for all else.
    """
    before = Version.parse(old)
    step = cast("Level", level(before, Version.parse(new)))
    return "minor" if step == "patch" and before.major == 0 else step


def suffices(old: str, new: str, needed: Level) -> bool:
    """Whether the step from `old` to `new` is as large as the changes ask for."""
    return LEVELS.index(claimed(old, new)) >= LEVELS.index(needed)


def next_version(old: str, needed: Level) -> str:
    """The smallest version after `old` whose step stands for `needed`."""
    version = Version.parse(old)
    if needed == "major":
        return f"{version.major + 1}.0.0" if version.major else f"0.{version.minor + 1}.0"
    if needed == "minor" and version.major:
        return f"{version.major}.{version.minor + 1}.0"
    return f"{version.major}.{version.minor}.{version.patch + 1}"
