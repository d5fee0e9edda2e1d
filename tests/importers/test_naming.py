"""Names: by our rules, each handle its own, and the same one tomorrow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.importers.page.naming import names, package, slug
from modelshelf.package.name import images, problem


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("acme/digits", "acme/digits"),
        ("acme/some_dir/Some_Model/kind", "acme/some-dir-some-model-kind"),
        ("see--/model_v1_0.25_192", "see/model-v1-0-25-192"),
        ("tfhub/digits", "tfhub-hub/digits"),
        ("acme/\u4f60\u597d", "acme/unnamed-670d"),
    ],
)
def test_a_handle_becomes_a_name(handle: str, name: str) -> None:
    assert package(handle) == name


def test_long_names_stay_apart() -> None:
    first, second = slug("x" * 100 + "a"), slug("x" * 100 + "b")
    assert first != second
    assert len(first) == len(second) == 64


def test_the_handle_that_is_spelled_like_the_name_keeps_it() -> None:
    given_ = names(["acme/Some_Model", "acme/some-model", "acme/some.model"])
    assert given_["acme/some-model"] == "acme/some-model"
    assert (
        given_["acme/Some_Model"]
        == names(["acme/Some_Model", "acme/some-model"])["acme/Some_Model"]
    )
    assert len(set(given_.values())) == 3


def test_names_that_are_one_in_another_ecosystem_stay_apart() -> None:
    given_ = names(["a-b/c", "a/b-c"])
    assert {images(name)["pip"] for name in given_.values()} >= {"a-b-c"}
    assert len({images(name)["pip"] for name in given_.values()}) == 2


@given(st.lists(st.text(max_size=80), max_size=8))
def test_whatever_the_handles_names_follow_the_rules(handles: list[str]) -> None:
    given_ = names(handles)
    assert set(given_) == set(handles)
    assert len(set(given_.values())) == len(given_)
    assert [problem(name) for name in given_.values() if problem(name)] == []
