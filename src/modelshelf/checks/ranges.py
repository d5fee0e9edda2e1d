"""What one range of versions admits and another does not, with a version that shows it.

Ranges are compared at the versions that they name and the nearest ones on both sides: between
those, no clause changes its mind.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

from modelshelf.errors import Invalid
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version

FAR = 9999
"""A number that no version reaches."""


def lost_python(old: str, new: str) -> str | None:
    """A version that the PEP 440 range `old` admits and `new` does not; None where there is none."""
    if old == new:
        return None
    try:
        before, after = SpecifierSet(old), SpecifierSet(new)
    except InvalidSpecifier:
        return old
    for version in _python_versions(before, after):
        if before.contains(version, prereleases=True) and not after.contains(
            version, prereleases=True
        ):
            return str(version)
    return None


def _python_versions(*ranges: SpecifierSet) -> list[PythonVersion]:
    found = {PythonVersion("0"), PythonVersion(str(FAR))}
    for clause in (clause for each in ranges for clause in each):
        try:
            named = PythonVersion(clause.version.removesuffix(".*"))
        except InvalidVersion:
            continue  # `===` compares texts
        found.add(named)
        found |= {PythonVersion(".".join(map(str, each))) for each in _near(named.release)}
    return sorted(found)


def _near(release: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The versions just above and just below, at each of the numbers."""
    for place in range(len(release)):
        yield (*release[:place], release[place] + 1)
        if release[place]:
            yield (*release[:place], release[place] - 1, FAR)
    yield (*release, 1)


def lost(old: str, new: str) -> str | None:
    """A version that the semantic range `old` admits and `new` does not."""
    if old == new:
        return None
    before, after = _requirements(old, new)
    found = [v for v in _versions(before, after) if before.matches(v) and not after.matches(v)]
    return str(found[0]) if found else None


def further(old: str, new: str) -> str | None:
    """A version that `new` admits and whose callers `old` had never met.

    That is one of another first number (second, below 1.0.0) than all that `old` admits.
    """
    if old == new:
        return None
    before, after = _requirements(old, new)
    versions = _versions(before, after)
    known = {_line(version) for version in versions if before.matches(version)}
    found = [each for each in versions if after.matches(each) and _line(each) not in known]
    return str(found[0]) if found else None


def _requirements(*texts: str) -> list[Requirement]:
    found = []
    for text in texts:
        try:
            found.append(Requirement.parse(text))
        except Invalid:
            found.append(Requirement(text, ()))  # the check of the manifest tells
    return found


def _versions(*ranges: Requirement) -> list[Version]:
    bounds = [
        bound
        for each in ranges
        for window in each.ranges
        for bound in (window.low, window.high)
        if bound is not None
    ]
    found = {Version(0, 0, 0), Version(0, FAR, 0), Version(FAR, 0, 0)}
    for bound in bounds:
        near = _near((bound.major, bound.minor, bound.patch))
        found |= {_version((*numbers, 0, 0)) for numbers in near}
        found |= {bound, Version(bound.major, bound.minor, bound.patch)}
    return sorted(found)


def _version(numbers: tuple[int, ...]) -> Version:
    return Version(numbers[0], numbers[1], numbers[2])


def _line(version: Version) -> tuple[int, int]:
    return version.major, 0 if version.major else version.minor
