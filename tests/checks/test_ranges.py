"""Ranges of versions against each other, with versions that show what was lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from modelshelf.checks.ranges import further, lost, lost_python
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (">=1.26", ">=1.26", None),
        (">=1.26", ">=1.20", None),
        (">=1.20", ">=1.26", "1.20"),
        ("", ">=1", "0"),
        (">=1", "", None),
        (">=1", ">=1, <2", "2"),
        (">=1", ">=1, !=1.5", "1.5"),
        ("~=1.4", "==1.*", None),
        ("==1.*", "~=1.4", "1"),
        (">1.0", ">=1.1", "1.0.1"),
        ("<2", "<=1.9", "1.9.1"),
        ("===weird", "===weird", None),
        ("no range", ">=1", "no range"),
    ],
)
def test_python_versions(old: str, new: str, shown: str | None) -> None:
    assert lost_python(old, new) == shown


@pytest.mark.parametrize(
    ("old", "new", "shown", "met"),
    [
        ("^1.2", "^1.2", None, None),
        ("^1.2", "^1.1", None, None),
        ("^1.2", "^1.3", "1.2.0", None),
        ("^1.2", "^2.0", "1.2.0", "2.0.0"),
        ("^1.2", ">=1.2", None, "2.0.0"),
        ("^0.2", "^0.3", "0.2.0", "0.3.0"),
        ("*", "^1.0", "0.0.0", None),
        ("=1.2.3", "~1.2.3", None, None),
    ],
)
def test_semantic_versions(old: str, new: str, shown: str | None, met: str | None) -> None:
    assert (lost(old, new), further(old, new)) == (shown, met)


numbers = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
written = numbers.map(lambda each: ".".join(map(str, each)))


def ranges(signs: list[str]) -> st.SearchStrategy[str]:
    clause = st.tuples(st.sampled_from(signs), written).map("".join)
    return st.lists(clause, min_size=1, max_size=2).map(", ".join)


PYTHON, SEMANTIC = [">=", "<=", ">", "<", "==", "!=", "~="], [">=", "<=", ">", "<", "=", "^", "~"]


@settings(max_examples=300, deadline=None)
@given(ranges(PYTHON), ranges(PYTHON), written)
def test_no_python_version_is_lost_unseen(old: str, new: str, version: str) -> None:
    shown = lost_python(old, new)
    if shown is None:
        assert version not in SpecifierSet(old) or version in SpecifierSet(new)
    else:
        assert SpecifierSet(old).contains(shown, prereleases=True)
        assert not SpecifierSet(new).contains(shown, prereleases=True)


@settings(max_examples=300, deadline=None)
@given(ranges(SEMANTIC), ranges(SEMANTIC), numbers)
def test_no_version_is_lost_unseen(old: str, new: str, version: tuple[int, int, int]) -> None:
    before, after = Requirement.parse(old), Requirement.parse(new)
    shown = lost(old, new)
    if shown is None:
        assert not before.matches(Version(*version)) or after.matches(Version(*version))
    else:
        assert before.matches(Version.parse(shown))
        assert not after.matches(Version.parse(shown))
