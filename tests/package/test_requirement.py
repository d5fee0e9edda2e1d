"""Ranges: the tables of Cargo's book, "Specifying Dependencies", as bounds and as samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import Invalid
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version

# requirement, first version inside (None: open), first version outside (None: open)
CARGO = (
    ("1.2.3", "1.2.3", "2.0.0"), ("1.2", "1.2.0", "2.0.0"), ("1", "1.0.0", "2.0.0"),
    ("0.2.3", "0.2.3", "0.3.0"), ("0.2", "0.2.0", "0.3.0"), ("0.0.3", "0.0.3", "0.0.4"),
    ("0.0", "0.0.0", "0.1.0"), ("0", "0.0.0", "1.0.0"), ("^1.2.3", "1.2.3", "2.0.0"),
    ("^0.2.3", "0.2.3", "0.3.0"), ("^0.0.3", "0.0.3", "0.0.4"), ("^0.0.0", "0.0.0", "0.0.1"),
    ("~1.2.3", "1.2.3", "1.3.0"), ("~1.2", "1.2.0", "1.3.0"), ("~1", "1.0.0", "2.0.0"),
    ("~0.0.3", "0.0.3", "0.1.0"), ("*", "0.0.0", None), ("1.*", "1.0.0", "2.0.0"),
    ("1.2.*", "1.2.0", "1.3.0"), ("1.x", "1.0.0", "2.0.0"), ("1.*.*", "1.0.0", "2.0.0"),
    (">=1.2.0", "1.2.0", None), (">=1", "1.0.0", None), (">1", "2.0.0", None),
    (">1.2", "1.3.0", None), (">1.2.3", "1.2.4", None), ("<2", "0.0.0", "2.0.0"),
    ("<1.2.3", "0.0.0", "1.2.3"), ("<=1.2", "0.0.0", "1.3.0"), ("<=1.2.3", "0.0.0", "1.2.4"),
    ("=1.2.3", "1.2.3", "1.2.4"), ("==1.2.3", "1.2.3", "1.2.4"), ("=1.2", "1.2.0", "1.3.0"),
    ("=1", "1.0.0", "2.0.0"), (">= 1.2, < 1.5", "1.2.0", "1.5.0"), (">1.2.3,<=1.4", "1.2.4", "1.5.0"),
    ("^1.2, <1.5", "1.2.0", "1.5.0"), ("  ~1.2.3  ", "1.2.3", "1.3.0"), ("^v1.2", "1.2.0", "2.0.0"),
    ("^999999999999999999", "999999999999999999.0.0", "1000000000000000000.0.0"),
)  # fmt: skip

WRONG = (
    "", " ", ",", "1.2,", ",1.2", "abc", "^", "^^1", "1.2.3.4", "1..2", "latest", "1 2", ">= 1 <2",
    "1.*.3", "*.1", "*.*.1", "1.2.*-rc.1", "^1.2-rc.1", "01.2", "1.02.3", "^1.2.3-", "^1.2.3-01",
    "~>1.2", "!=1.2", "=>1", "1.2.3 - 2.0.0", "1 || 2", "\u0661.\u0662", "^1.2.3\x00", "-1", "1.2.3-é",
    "9" * 19, "9" * 10_000, "1," * 5000 + "1", ">=" * 5000, "^1.2.3-" + "a" * 10_000,
)  # fmt: skip

# requirement, versions inside, versions outside: pre-releases only where their release is named
PREVIEWS: tuple[tuple[str, list[str], list[str]], ...] = (
    ("^1.2.3", ["1.2.3"], ["1.3.0-rc.1", "1.2.3-rc.1", "2.0.0-rc.1"]),
    ("*", ["0.0.1", "9.9.9"], ["1.0.0-rc.1"]),
    (">1.2.3", ["1.2.4"], ["1.2.4-rc.1", "1.2.3-rc.1"]),
    ("<2.0.0", ["1.9.9"], ["2.0.0-rc.1", "1.9.0-rc.1"]),
    ("<=1.2.3", ["1.2.3"], ["1.2.4-0", "1.2.3-rc.1"]),
    ("^1.2.3-rc.1", ["1.2.3-rc.1", "1.2.3-rc.2", "1.2.3", "1.4.0"], ["1.2.3-beta", "1.3.0-rc.1"]),
    (">=1.2.3-beta, <2", ["1.2.3-beta", "1.2.3-rc.1", "1.9.0"], ["1.2.4-rc.1", "2.0.0-0"]),
    ("=1.2.3-rc.1", ["1.2.3-rc.1", "1.2.3-rc.1+build"], ["1.2.3-rc.1.0", "1.2.3", "1.2.3-rc.2"]),
    (">1.2.3-rc.1", ["1.2.3-rc.2", "1.2.3", "1.3.0"], ["1.2.3-rc.1", "1.3.0-rc.1"]),
    ("<1.2.3-rc.1", ["1.2.3-beta", "1.2.2"], ["1.2.3-rc.1", "1.2.3", "1.2.2-rc.1"]),
    ("<=1.2.3-rc.1", ["1.2.3-rc.1", "1.2.2"], ["1.2.3-rc.2", "1.2.3"]),
    ("~1.2.3-rc.1", ["1.2.3-rc.1", "1.2.9"], ["1.2.4-rc.1", "1.3.0"]),
    ("2.0.0-rc.1, <2", [], ["2.0.0-rc.1", "2.0.0"]),
    (">=1.3.0-rc.1, <=1.2", [], ["1.3.0-rc.1", "1.3.0"]),
    (">=2.0.0-rc.1, <2.0.0", ["2.0.0-rc.1", "2.0.0-rc.2"], ["2.0.0", "1.9.0"]),
)  # fmt: skip

triples = st.tuples(*[st.integers(0, 4)] * 3)


def _before(version: Version) -> Version | None:
    """A release just below, in the small numbers of the table."""
    major, minor, patch = version[:3]
    if patch:
        return version._replace(patch=patch - 1)
    if minor:
        return Version(major, minor - 1, 999)
    return Version(major - 1, 999, 999) if major else None


@pytest.mark.parametrize(("text", "first", "beyond"), CARGO)
def test_bounds_are_those_of_cargo(text: str, first: str, beyond: str | None) -> None:
    wanted, low = Requirement.parse(text), Version.parse(first)
    assert wanted.matches(low)
    assert (below := _before(low)) is None or not wanted.matches(below)
    if beyond is None:
        assert wanted.matches(Version.parse("999999999999999999.0.0"))
    else:
        major, minor, patch = map(int, beyond.split("."))
        high = Version(major, minor, patch)
        assert not wanted.matches(high)
        last = _before(high)
        assert last is not None
        assert wanted.matches(last)


@pytest.mark.parametrize(("text", "inside", "outside"), PREVIEWS)
def test_previews_match_where_their_release_is_named(
    text: str, inside: list[str], outside: list[str]
) -> None:
    wanted = Requirement.parse(text)
    assert [each for each in inside if not wanted.matches(Version.parse(each))] == []
    assert [each for each in outside if wanted.matches(Version.parse(each))] == []


@pytest.mark.parametrize("text", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Requirement.parse(text)
    assert len(str(caught.value.as_json())) < 500


@given(triples, triples)
def test_a_bare_version_is_a_caret(
    written: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    text, version = ".".join(map(str, written)), Version(*other)
    assert Requirement.parse(text).matches(version) == Requirement.parse(f"^{text}").matches(
        version
    )


@given(triples, triples)
def test_operators_are_those_of_the_order(
    written: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    text, bound, version = ".".join(map(str, written)), Version(*written), Version(*other)
    assert Requirement.parse(f">={text}").matches(version) == (version >= bound)
    assert Requirement.parse(f">{text}").matches(version) == (version > bound)
    assert Requirement.parse(f"<{text}").matches(version) == (version < bound)
    assert Requirement.parse(f"<={text}").matches(version) == (version <= bound)
    assert Requirement.parse(f"={text}").matches(version) == (version == bound)


@given(triples, triples, triples)
def test_a_comma_is_an_and(
    first: tuple[int, int, int], second: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    low, high = (".".join(map(str, each)) for each in (first, second))
    both = Requirement.parse(f">={low}, <{high}").matches(Version(*other))
    assert both == (Version(*first) <= Version(*other) < Version(*second))


@given(st.text(alphabet="0123456789.*x^~<>=, -+vabr", max_size=30))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        wanted = Requirement.parse(text)
    except Invalid:
        return
    assert wanted.text == text.strip()
    wanted.matches(Version(1, 2, 3))
