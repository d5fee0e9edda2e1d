"""Strict semantic versions (https://semver.org, 2.0.0)."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.errors import Invalid

# semver.org's own expression; numbers are bounded so that no comparison can be made slow.
_PATTERN = re.compile(
    r"(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})"
    r"(?:-((?:0|[1-9]\d{0,17}|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d{0,17}|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
longest_version_characters = 128


class _Fields(NamedTuple):
    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: str | None = None


class Version(_Fields):
    """One version; ordered by precedence, where a pre-release comes before its release.

    Build metadata takes no part in order or equality (semver.org, rule 10).
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """`"1.2.0-rc.1"` → Version. Raises Invalid with the nearest right spelling."""
        match = _PATTERN.fullmatch(text) if len(text) <= longest_version_characters else None
        if match is None:
            raise Invalid(
                f"`{text[:40]}` is not a semantic version",
                expected="MAJOR.MINOR.PATCH, such as 1.4.0 or 2.0.0-rc.1",
                got=text[:80],
                hint=_suggestion(text),
            )
        major, minor, patch, pre, build = match.groups()
        return cls(int(major), int(minor), int(patch), tuple(pre.split(".")) if pre else (), build)

    def _key(self) -> tuple[object, ...]:
        return (self[:3], not self.prerelease, tuple(_identifier(p) for p in self.prerelease))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        mine: tuple[object, ...] = self._key()
        return mine < other._key()

    def __le__(self, other: object) -> bool:
        return self == other or self < other

    def __gt__(self, other: object) -> bool:
        return not self <= other

    def __ge__(self, other: object) -> bool:
        return not self < other

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.prerelease:
            text += "-" + ".".join(self.prerelease)
        return text + (f"+{self.build}" if self.build else "")


def _identifier(text: str) -> tuple[bool, int, str]:
    """Numbers compare as numbers and come before words (semver.org, rule 11)."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)


def _suggestion(text: str) -> str | None:
    match = re.fullmatch(r"[vV=\s]*(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?\s*", text[:40])
    if match is None:
        return None
    meant = ".".join(str(int(part or 0)) for part in match.groups())
    return f"did you mean `{meant}`?"


def level(old: Version, new: Version) -> str:
    """What a step from `old` to `new` claims: `major`, `minor` or `patch`; below 1.0.0, minor is major."""
    if old.major != new.major:
        return "major"
    if old.minor != new.minor:
        return "major" if old.major == 0 else "minor"
    return "patch"
