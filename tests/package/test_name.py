"""Names: their form, what is reserved, which must not stand beside each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import Invalid
from modelshelf.package.name import (
    RESERVED,
    folded,
    images,
    longest_part_characters,
    parse,
    part_problem,
    problem,
)

DESIGN_RESERVES = "api v1 v2 pypi npm cran torch tfhub hf oci mlflow datasets spaces blobs lfs index static assets"

parts = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,5}){0,2}", fullmatch=True).filter(
    lambda part: part not in RESERVED
)


@pytest.mark.parametrize("text", ["acme/digits", "a/b", "1/2", "a-b-c/d-e", "a/" + "b" * 64])
def test_good_names_are_split(text: str) -> None:
    assert "/".join(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "acme", "acme/", "/digits", "acme/digits/small", "Acme/digits", "acme/Digits",
        "acme/di_gits", "acme/di.gits", "acme/-digits", "acme/digits-", "acme/di--gits",
        "acme/dïgits", "acme/digits ", "acme/digits\n", "acme/\u0664", "../digits", "acme/..",
        "acme/di gits", "acme\\digits", "acme/digits\x00", "a/" + "b" * 65, "a" * 10_000 + "/b",
        "/" * 10_000, "\uff41cme/digits", "acme/d\u0456gits",
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert len(str(caught.value.as_json())) < 600


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Acme/Digits", "acme/digits"),
        ("acme/my_model", "acme/my-model"),
        ("acme/--digits--", "acme/digits"),
        ("Acme Vision/Digits v2", "acme-vision/digits-v2"),
    ],
)
def test_the_hint_is_the_name_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert caught.value.hint == f"did you mean `{meant}`?"


@pytest.mark.parametrize("word", sorted({*RESERVED, *DESIGN_RESERVES.split()}))
def test_reserved_publishers_are_refused_but_are_good_names(word: str) -> None:
    assert "reserved" in (problem(f"{word}/digits") or "")
    assert problem(f"acme/{word}") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("acme/digits", "acme/d1gits"),
        ("acme/lime", "acme/1ime"),
        ("acme/lime", "acme/iime"),
        ("acme/zoo", "acme/z00"),
        ("acme/my-model", "acme/mymodel"),
        ("a-b/c", "ab/c"),
    ],
)
def test_lookalikes_fold_to_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("acme/digits", "acme/digit"), ("ab/c", "a/bc"), ("acme/a", "acme/b")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_images_of_a_name() -> None:
    assert images("acme/my-digits") == {
        "pip": "acme-my-digits",
        "npm": "@acme/my-digits",
        "r": "acme.my.digits",
        "mlflow": "acme.my-digits",
    }


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a-b/c", "a/b-c", {"pip", "r"}),
        ("a-b-c/d", "a-b/c-d", {"pip", "r"}),
        ("a/b", "a/c", set()),
        ("a/b", "b/a", set()),
    ],
)
def test_images_that_collide(one: str, other: str, shared: set[str]) -> None:
    mine, theirs = images(one), images(other)
    assert {space for space in mine if mine[space] == theirs[space]} == shared


@given(parts, parts)
def test_every_well_formed_name_is_good(publisher: str, name: str) -> None:
    assert parse(f"{publisher}/{name}") == (publisher, name)
    assert folded(folded(f"{publisher}/{name}")) == folded(f"{publisher}/{name}")


@given(st.text(max_size=100))
def test_a_part_is_good_or_says_why_not(text: str) -> None:
    good = part_problem(text) is None
    assert good == (
        len(text) <= longest_part_characters
        and all(
            each.isascii() and each.isalnum() and each == each.lower() for each in text.split("-")
        )
        and all(text.split("-"))
    )
