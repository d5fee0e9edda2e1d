"""Version ranges, as Cargo and npm write them: `^1.2`, `~1.2.3`, `>=1.0, <2.0`, `1.*`, `=1.2.3`, `*`."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.errors import Invalid
from modelshelf.package.version import Version

_CLAUSE = re.compile(
    r"(\^|~|>=|<=|>|<|==?)?\s*v?(\d{1,18}|\*)(?:\.(\d{1,18}|\*|x))?(?:\.(\d{1,18}|\*|x))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
longest_range_characters = 200


class Range(NamedTuple):
    """Versions from `low` (included) to `high` (excluded); either may be open."""

    low: Version | None = None
    high: Version | None = None

    def __contains__(self, version: object) -> bool:
        return (
            isinstance(version, Version)
            and (self.low is None or version >= self.low)
            and (self.high is None or version < self.high)
        )


class Requirement(NamedTuple):
    """A set of versions: those inside every one of `ranges`; `text` is what was written."""

    text: str
    ranges: tuple[Range, ...]

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """`"^1.2"` or `">=1.0, <1.5"` → Requirement. A bare `1.2` means `^1.2`.

        Raises Invalid where the text is no range.
        """
        written = text.strip()
        if len(written) > longest_range_characters:
            raise Invalid(
                "this version range is too long",
                expected=f"at most {longest_range_characters} characters",
                got=written[:40] + "…",
            )
        clauses = [clause.strip() for clause in written.split(",")]
        return cls(written, tuple(_range(clause, written) for clause in clauses))

    def matches(self, version: Version) -> bool:
        """Whether `version` is inside; a pre-release only where a clause names its own release."""
        if not all(version in window for window in self.ranges):
            return False
        return not version.prerelease or any(
            window.low is not None and window.low.prerelease and window.low[:3] == version[:3]
            for window in self.ranges
        )

    @property
    def exact(self) -> bool:
        """Whether one version alone is meant (`=1.2.3`)."""
        return bool(re.fullmatch(r"==?\s*v?\d+\.\d+\.\d+(?:[-+].*)?", self.text))


def _range(clause: str, whole: str) -> Range:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise Invalid(
            f"`{whole[:60]}` is not a version range",
            expected="such as ^1.2, ~1.2.3, >=1.0, <2.0, =1.2.3 or *",
            got=clause[:60],
        )
    operator, *parts, prerelease = match.groups()
    if parts[0] == "*":
        return Range()
    numbers = [int(part) for part in parts if part not in (None, "*", "x")]
    low = Version.parse(".".join(map(str, [*numbers, 0, 0][:3])) + (prerelease or ""))
    wild = "*" in parts or "x" in parts
    return _window("*" if wild and operator in (None, "=", "==") else operator or "^", low, numbers)


def _window(operator: str, low: Version, numbers: list[int]) -> Range:
    """The versions that `operator` and the written `numbers` (1 to 3 of them) stand for."""
    if operator == "^":
        return Range(low, _before(_caret(numbers)))
    if operator == "~":
        return Range(low, _before(_raised(numbers[:2])))
    if operator == ">=":
        return Range(low)
    if operator == "<":
        return Range(None, _before(low) if not low.prerelease else low)
    if operator in ("*", "=", "==") and len(numbers) < 3:
        return Range(low, _before(_raised(numbers)))
    after = _next(low) if len(numbers) == 3 else _raised(numbers)
    if operator == ">":
        return Range(after)
    if operator == "<=":
        return Range(None, after)
    return Range(low, after)


def _caret(numbers: list[int]) -> Version:
    """The first version that may break a caller of `numbers`: the leftmost non-zero moves."""
    for place, number in enumerate(numbers):
        if number:
            return _raised(numbers[: place + 1])
    return _raised(numbers)


def _raised(numbers: list[int]) -> Version:
    major, minor, patch = [*numbers[:-1], numbers[-1] + 1, 0, 0][:3]
    return Version(major, minor, patch)


def _before(version: Version) -> Version:
    """An upper bound keeps out the bound's own pre-releases: `^1.2` must not take 2.0.0-rc.1."""
    return version._replace(prerelease=("0",))


def _next(version: Version) -> Version:
    """The least version after `version`."""
    if version.prerelease:
        return version._replace(prerelease=(*version.prerelease, "0"), build=None)
    return version._replace(patch=version.patch + 1, prerelease=("0",), build=None)
