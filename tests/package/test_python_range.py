"""Ranges of PEP 440: empty or not, against a dense sample of versions and packaging's own answer."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from modelshelf.package.python_range import admits, compatible, empty

EMPTY = (
    (">=2.0", "<2"), (">2", "<=2"), ("==1.0", "==1.1"), ("==1.*", ">=2"), ("~=1.4.2", ">=1.5"),
    ("~=1.4", ">=2"), (">1.0", "<1.0.post1"), (">=1.0", "<1.0.dev5"), ("!=1.0", "==1.0.0"),
    ("!=1.0.*,>=1.0", "<1.1"), (">1!0", "<1"), ("==1.0+a", "==1.0+b"), (">=2.0a1", "<2.0"),
    (">=3.12", "<3.12"), ("<0", ""), ("==1.0a1", "!=1.0.*"), (">1.0.post1", "<1.0.post2"),
)  # fmt: skip
LEFT = (
    ("", ""), (">=1.26", "<2"), (">1.0", "<1.0.0.0.1"), (">=2.0a1", "<2.0b1"), ("==1.0", "==1.0+a"),
    ("~=1.4.2", "<1.4.3"), (">1.0.post1", "<1.0.post3"), ("!=1.0.*", ">=1.0,<2"), (">5", "<1!1"),
    ("!=1.0.*,!=1.1,>=1.0", "<=1.1"), ("<1.0.post1", ">=1.0"), ("==1.0.*", "<1.0a1"),
    (">1,<3", "!=2"), (">=99999", ""), ("~=2.2.post3", "<2.3"), (">=1.0.dev3", "<1.0.dev5"),
)  # fmt: skip


@pytest.mark.parametrize(("one", "two"), EMPTY)
def test_no_version_is_in_both(one: str, two: str) -> None:
    assert empty(one, two)
    assert bool(one and two) != compatible(one, two)


@pytest.mark.parametrize(("one", "two"), LEFT)
def test_a_version_is_in_both(one: str, two: str) -> None:
    assert empty(one, two) is False
    assert compatible(two, one)


@pytest.mark.parametrize("text", ["===1.0", "nonsense", ">=" + "1" * 1000, ">=1.0," * 200])
def test_of_what_compares_texts_or_is_no_range_nothing_is_said(text: str) -> None:
    assert empty(text, "<2") is None
    assert compatible(text, "<2")


@pytest.mark.parametrize(
    ("text", "version", "answer"),
    [(">=1.26", "1.26.4", True), (">=2", "1.26.4", False), (">=2", "2.1rc1", True),
     (">=2", "unknown", None), ("nonsense", "1", None), ("", "0", True)],
)  # fmt: skip
def test_whether_a_version_is_in_a_range(text: str, version: str, answer: bool | None) -> None:
    assert admits(text, version) is answer


NUMBERS = st.sampled_from((0, 1, 2))
RELEASES = st.lists(NUMBERS, min_size=1, max_size=3).map(lambda each: ".".join(map(str, each)))
SUFFIXES = st.sampled_from(("", "", "", "a1", "b0", "rc1", ".post0", ".post1", ".dev0", ".dev1",
                            "a1.dev1", "a0.post1", ".post1.dev0"))  # fmt: skip
VERSIONS = st.builds("{}{}{}".format, st.sampled_from(("", "", "", "1!")), RELEASES, SUFFIXES)
CLAUSES = st.one_of(
    st.builds("{}{}".format, st.sampled_from((">=", ">", "<=", "<", "==", "!=")), VERSIONS),
    st.builds("{}{}.*".format, st.sampled_from(("==", "!=")), RELEASES),
    st.builds("~={}.{}".format, NUMBERS, RELEASES),
)
RANGES = st.lists(CLAUSES, min_size=1, max_size=4).map(",".join)
SAMPLE = tuple(
    Version(f"{epoch}{'.'.join(map(str, release))}{suffix}")
    for epoch in ("", "1!")
    for length in (1, 2, 3, 4)
    for release in itertools.product((0, 1, 2, 3), repeat=length)
    for suffix in ("", ".dev0", ".dev1", "a0", "a1", "a1.dev0", "b0", "rc1", ".post0", ".post1")
    if length < 4 or (not suffix and release[-1])
)


@settings(max_examples=100, deadline=None)
@given(RANGES, RANGES)
def test_a_dense_sample_says_the_same(one: str, two: str) -> None:
    both = SpecifierSet(f"{one},{two}")
    found = next((each for each in SAMPLE if both.contains(each, prereleases=True)), None)
    if empty(one, two):
        assert found is None
    if found is not None:
        assert compatible(one, two)


@pytest.mark.skipif(not hasattr(SpecifierSet, "is_unsatisfiable"), reason="packaging before 26")
@settings(max_examples=500, deadline=None)
@given(RANGES, RANGES)
def test_packaging_says_the_same(one: str, two: str) -> None:
    assert empty(one, two) == SpecifierSet(f"{one},{two}", prereleases=True).is_unsatisfiable()
