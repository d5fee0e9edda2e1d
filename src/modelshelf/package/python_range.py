"""Whether ranges of Python versions (PEP 440) leave any version, and whether one is in them.

https://packaging.python.org/en/latest/specifications/version-specifiers/. Between the versions
that the clauses name no clause changes its mind, so testing those, the nearest ones around them
and one in each gap is exact. Only `===` compares texts; of that nothing is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.specifiers import Specifier, SpecifierSet
    from packaging.version import Version

longest_range_characters = 500


@lru_cache(4096)
def parsed(text: str) -> SpecifierSet | None:
    """The range that `text` means, None where it is not one."""
    from packaging.specifiers import SpecifierSet

    try:
        return SpecifierSet(text) if len(text) <= longest_range_characters else None
    except ValueError:
        return None


def admits(text: str, version: str) -> bool | None:
    """Whether `version` is in the range; None where one of them cannot be read.

    A pre-release that is there counts: nobody has to choose it any more.
    """
    from packaging.version import Version

    found = parsed(text)
    try:
        return None if found is None else found.contains(Version(version), prereleases=True)
    except ValueError:
        return None


def compatible(one: str, two: str) -> bool:
    """Whether some version may be in both ranges; the answer is kept."""
    return one == two or not one or not two or empty(one, two) is not True


@lru_cache(65536)
def empty(*texts: str) -> bool | None:
    """Whether no version is in all ranges; None where that cannot be told."""
    ranges = [parsed(text) for text in texts]
    clauses = tuple(clause for found in ranges for clause in found or ())
    if None in ranges or any(clause.operator == "===" for clause in clauses):
        return None
    return not any(
        all(clause.contains(version, prereleases=True) for clause in clauses)
        for version in _points(clauses)
    )


def _points(clauses: tuple[Specifier, ...]) -> Iterator[Version]:
    """The versions named, the ends of what is admitted, and one version between each two of them.

    Likely ones first: most ranges that go together share a version that one of them names.
    """
    from packaging.version import Version

    named = [Version(clause.version.removesuffix(".*")) for clause in clauses]
    yield from named
    highest = max((number for each in named for number in each.release), default=0) + 2
    length = max((len(each.release) for each in named), default=1)
    for epoch in {0, *(each.epoch for each in named)}:
        yield _version(epoch, (0,), ".dev0")
        yield _version(epoch, (highest,))
    for epoch in {each.epoch - 1 for each in named if each.epoch}:
        yield _version(epoch, (highest,))
    for epoch, release in _releases(clauses, named):
        padded = release + (0,) * (length + 1 - len(release))
        yield _version(epoch, (*padded, 1))
        yield from _below(epoch, release, highest)
        alike = [
            each for each in named if (each.epoch, _cut(each.release)) == (epoch, _cut(release))
        ]
        yield from (_version(epoch, release, suffix) for suffix in _suffixes(alike))


def _releases(
    clauses: tuple[Specifier, ...], named: list[Version]
) -> set[tuple[int, tuple[int, ...]]]:
    """What the clauses name, and what comes after a prefix (`==1.2.*` and `~=1.2.3` end at 1.3)."""
    found = {(each.epoch, each.release) for each in named}
    for clause, each in zip(clauses, named, strict=True):
        prefix = each.release if clause.version.endswith(".*") else each.release[:-1]
        if prefix:
            found.add((each.epoch, (*prefix[:-1], prefix[-1] + 1)))
    return found


def _below(epoch: int, release: tuple[int, ...], highest: int) -> Iterator[Version]:
    """The last versions before `release` and all its pre-releases."""
    release = _cut(release)
    if release:
        yield _version(epoch, (*release[:-1], release[-1] - 1, highest))


def _suffixes(alike: list[Version]) -> set[str]:
    """Ends of versions of one release: those named, with each of their numbers one less and more."""
    found = _ends({"", "a0"}, {"", ".post0"}, {"", ".dev0"})
    for each in alike:
        kind, number = each.pre or ("a", 0)
        found |= _ends(
            {"", *(f"{kind}{near}" for near in _near(number))},
            {"", *(f".post{near}" for near in _near(each.post))},
            {"", ".dev0", *(f".dev{near}" for near in _near(each.dev))},
        )
    return found


def _ends(*parts: set[str]) -> set[str]:
    return {"".join(each) for each in itertools.product(*parts)}


def _near(number: int | None) -> set[int]:
    return set() if number is None else {max(number - 1, 0), number, number + 1}


def _cut(release: tuple[int, ...]) -> tuple[int, ...]:
    """Without the zeros at the end: 1.0 and 1.0.0 are the same version."""
    while release and not release[-1]:
        release = release[:-1]
    return release


def _version(epoch: int, release: tuple[int, ...], suffix: str = "") -> Version:
    from packaging.version import Version

    return Version(f"{epoch}!{'.'.join(map(str, release))}{suffix}")
