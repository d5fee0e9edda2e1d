"""Version ranges, as Cargo and npm write them: `^1.2`, `~1.2.3`, `>=1.0, <2.0`, `1.*`, `=1.2.3`, `*`."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelshelf.errors import Invalid
from modelshelf.package.version import Version

_CLAUSE = re.compile(
    r"(\^|~|>=|<=|>|<|==?)?\s*v?(NUM|[*xX])(?:\.(NUM|[*xX]))?(?:\.(NUM|[*xX]))?"
    r"(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?".replace("NUM", r"0|[1-9]\d{0,17}"),
    re.ASCII,
)
_WILD = ("*", "x", "X")
longest_range_characters = 200


class Range(NamedTuple):
    """Versions from `low` (included) to `high` (excluded); either may be open."""

    low: Version | None = None
    high: Version | None = None
    preview: Version | None = None
    """The pre-release that its author named: pre-releases of the same release may match."""

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
            window.preview is not None and window.preview[:3] == version[:3]
            for window in self.ranges
        )


def _range(clause: str, whole: str) -> Range:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise _no_range(clause, whole)
    operator, *written, prerelease = match.groups()
    parts = [part for part in written if part is not None]
    wild = [part in _WILD for part in parts]
    # what follows a wildcard must be one, and only a whole version has pre-releases
    if wild != sorted(wild) or (prerelease and (len(parts) < 3 or any(wild))):
        raise _no_range(clause, whole)
    if wild[0]:
        return Range()
    numbers = [int(part) for part in parts if part not in _WILD]
    low = Version.parse(".".join(map(str, [*numbers, 0, 0][:3])) + (prerelease or ""))
    sign = "*" if any(wild) and operator in (None, "=", "==") else operator or "^"
    return _window(sign, low, numbers)._replace(preview=low if prerelease else None)


def _no_range(clause: str, whole: str) -> Invalid:
    return Invalid(
        f"`{whole[:60]}` is not a version range",
        expected="such as ^1.2, ~1.2.3, >=1.0, <2.0, =1.2.3 or *",
        got=clause[:60],
    )


def _window(operator: str, low: Version, numbers: list[int]) -> Range:
    """The versions that `operator` and the written `numbers` (1 to 3 of them) stand for."""
    if operator == "^":
        return Range(low, _before(_caret(numbers)))
    if operator == "~":
        return Range(low, _before(_raised(numbers[:2])))
    if operator == ">=":
        return Range(low)
    if operator == "<":
        return Range(None, low if len(numbers) == 3 else _before(low))
    if operator in ("*", "=", "==") and len(numbers) < 3:
        return Range(low, _before(_raised(numbers)))
    after = _next(low) if len(numbers) == 3 else _raised(numbers)
    if operator == ">":
        return Range(after)
    if operator == "<=":
        return Range(None, _before(after) if len(numbers) < 3 else after)
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
