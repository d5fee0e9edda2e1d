"""Versions: the rules and examples of semver.org."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import Invalid
from modelshelf.package.version import Version, level, longest_version_characters

# semver.org 2.0.0, rules 11.2 to 11.4
PRECEDENCE = (
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1",
)  # fmt: skip

# semver.org's own list of right spellings
RIGHT = (
    "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid",
    "1.0.0-alpha", "1.0.0-alpha.beta.1", "1.0.0-alpha0.valid", "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.0.0-rc.1+build.123",
    "2.0.0+build.1848", "1.0.0-0A.is.legal", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0--1", "999999999999999999.0.0",
)  # fmt: skip

# semver.org's own list of wrong ones, and absurd ones
WRONG = (
    "", "1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123", "+invalid", "-invalid", "alpha",
    "1.0.0-alpha_beta", "1.0.0-alpha..", "01.1.1", "1.01.1", "1.1.01", "1.2.3.DEV", "1.2-SNAPSHOT",
    "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788", "-1.0.3-gamma+b7718", "1.1.2+a+b", "v1.2.3",
    " 1.2.3", "1.2.3\n", "1.2.3 ", "1.2.3-", "1.2.3+", "1.2.3-é", "1.0.-1", "\u0661.\u0662.\u0663",
    "1.2.\uff13", "1.0.0\x00", "1000000000000000000.0.0", "9" * 10_000 + ".0.0", "1." * 5000 + "0",
    "1.0.0-" + "a" * 10_000, "1.0.0-" + "0a." * 3000, "1.0.0+" + "b" * 10_000,
)  # fmt: skip

numbers = st.integers(0, 10**18 - 1)
identifiers = st.from_regex(
    r"(0|[1-9][0-9]{0,5}|[0-9]{0,3}[a-zA-Z-][0-9a-zA-Z-]{0,5})", fullmatch=True
)
builds = st.none() | st.from_regex(r"[0-9a-zA-Z-]{1,6}(\.[0-9a-zA-Z-]{1,6})?", fullmatch=True)
versions = st.builds(
    Version, numbers, numbers, numbers, st.lists(identifiers, max_size=3).map(tuple), builds
)
close = st.builds(
    Version,
    *[st.integers(0, 1)] * 3,
    st.lists(st.sampled_from(["0", "2", "11", "a", "-", "A1"]), max_size=2).map(tuple),
)


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(PRECEDENCE, 2)))
def test_precedence_is_that_of_semver(low: str, high: str) -> None:
    mine, theirs = Version.parse(low), Version.parse(high)
    assert mine < theirs
    assert theirs > mine
    assert mine <= theirs
    assert theirs >= mine
    assert mine != theirs


@pytest.mark.parametrize("text", RIGHT)
def test_right_spellings_are_read_and_written_back(text: str) -> None:
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize("text", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_wrong_and_absurd_spellings_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Version.parse(text)
    assert len(str(caught.value.as_json())) < 500


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1", "1.0.0"),
        ("1.2", "1.2.0"),
        ("v1.2.3", "1.2.3"),
        ("01.2.3", "1.2.3"),
        ("=1.2.3", "1.2.3"),
    ],
)
def test_the_hint_is_the_nearest_right_spelling(text: str, meant: str) -> None:
    with pytest.raises(Invalid) as caught:
        Version.parse(text)
    assert caught.value.hint == f"did you mean `{meant}`?"


def test_the_longest_version() -> None:
    longest = "1.0.0-" + "a" * (longest_version_characters - 6)
    assert str(Version.parse(longest)) == longest
    with pytest.raises(Invalid):
        Version.parse(longest + "a")


def test_build_metadata_takes_no_part_in_order() -> None:
    one, other = Version.parse("1.0.0+a"), Version.parse("1.0.0+b")
    assert one == other
    assert hash(one) == hash(other)
    assert not one < other


def test_a_version_is_no_text() -> None:
    assert Version.parse("1.0.0") != "1.0.0"
    with pytest.raises(TypeError):
        assert Version.parse("1.0.0") < "2.0.0"


@given(versions)
def test_every_version_survives_its_text(version: Version) -> None:
    text = str(version)
    if len(text) <= longest_version_characters:
        assert Version.parse(text)._asdict() == version._asdict()


@given(close, close, close)
def test_order_is_total_and_transitive(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (a == b) + (a > b) == 1
    assert (a <= b) == (not b < a)
    assert not (a <= b <= c) or a <= c
    assert a != b or hash(a) == hash(b)


@given(st.permutations(PRECEDENCE))
def test_any_order_sorts_to_precedence(shuffled: list[str]) -> None:
    assert tuple(map(str, sorted(map(Version.parse, shuffled)))) == PRECEDENCE


@given(st.text(max_size=60))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    with suppress(Invalid):
        assert str(Version.parse(text)) == text


@pytest.mark.parametrize(
    ("old", "new", "claimed"),
    [
        ("1.0.0", "2.0.0", "major"),
        ("1.0.0", "1.1.0", "minor"),
        ("1.0.0", "1.0.1", "patch"),
        ("0.1.0", "0.2.0", "major"),
        ("0.1.0", "0.1.1", "patch"),
        ("1.0.0-rc.1", "1.0.0", "patch"),
    ],
)
def test_level_of_a_step(old: str, new: str, claimed: str) -> None:
    assert level(Version.parse(old), Version.parse(new)) == claimed
