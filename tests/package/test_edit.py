"""Changing a `shelf.toml` in place: all that its author wrote stays."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import Invalid
from modelshelf.package.edit import drop_dependency, set_dependency, set_version
from modelshelf.package.manifest import parse, parse_project
from modelshelf.package.record import Dependency

PROJECT = """\
# what this project needs   (kept)

registry = 'https://r.example'   # ours

[dependencies]
# the digits
"acme/digits" = "^1.0"     # pinned by hand
"acme/other"   =  { version = "~2.1", variants = ["small"] }
"""

dependencies = st.builds(
    Dependency,
    version=st.sampled_from(["*", "^1.2", ">=1.0, <2.0", "=1.2.3-rc.1"]),
    kind=st.sampled_from(["runtime", "base"]),
    registry=st.none() | st.text(alphabet="aé \"'\\#\n", max_size=8),
    variants=st.lists(st.text(alphabet="ab-*", max_size=4), max_size=2).map(tuple),
    format=st.none() | st.just("onnx"),
)


def _changed(old: str, new: str) -> list[str]:
    """The lines that differ, each with its sign."""
    lines = difflib.ndiff(old.splitlines(), new.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_a_dependency_is_added_and_nothing_else_changes() -> None:
    new = set_dependency(PROJECT, "acme/new", Dependency("^3"))
    assert _changed(PROJECT, new) == ['+ "acme/new" = "^3"']


def test_a_dependency_is_changed_where_it_stands() -> None:
    new = set_dependency(PROJECT, "acme/digits", Dependency("^2", format="onnx"))
    assert [line[:20] for line in _changed(PROJECT, new)] == [
        '- "acme/digits" = "^',
        '+ "acme/digits" = {v',
    ]
    assert "# the digits\n" in new


def test_a_dependency_is_dropped_and_may_be_gone_already() -> None:
    new = drop_dependency(PROJECT, "acme/other")
    assert [line[:15] for line in _changed(PROJECT, new)] == ['- "acme/other" ']
    assert drop_dependency(new, "acme/other") == new
    assert drop_dependency("", "acme/other") == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        'registry = "https://x.example"',
        "[dependencies]",
        "dependencies = {}",
    ],
)
def test_a_first_dependency(text: str) -> None:
    new = set_dependency(text, "a/b", Dependency("^1"))
    assert parse_project(new).dependencies == {"a/b": Dependency("^1")}
    assert new.startswith(text.rstrip("}"))


def test_a_publishers_file_stays_whole(full: str) -> None:
    new = set_version(set_dependency(full, "acme/new", Dependency("^3")), "2.0.0")
    assert _changed(full, new) == [
        '- version = "1.1.0"',
        '+ version = "2.0.0"',
        '+ "acme/new" = "^3"',
    ]
    assert parse(new).package.version == "2.0.0"


def test_line_ends_are_kept() -> None:
    new = set_version('[package]\r\nversion = "1.0.0"  # here\r\n', "1.0.1")
    assert new == '[package]\r\nversion = "1.0.1"  # here\r\n'


@pytest.mark.parametrize(
    "text", ["a = ", "[a]\n[a]", "a = 1\na = 2", "a = " + "[" * 50_000, "x = " + "1" * 5000]
)
def test_what_is_no_toml_is_refused(text: str) -> None:
    changes: tuple[Callable[[], str], ...] = (
        lambda: set_dependency(text, "a/b", Dependency("^1")),
        lambda: drop_dependency(text, "a/b"),
        lambda: set_version(text, "1.0.0"),
    )
    for change in changes:
        with pytest.raises(Invalid) as caught:
            change()
        assert caught.value.where == "shelf.toml"


def test_tables_that_are_none_are_refused() -> None:
    with pytest.raises(Invalid):
        set_dependency("dependencies = 3", "a/b", Dependency("^1"))
    with pytest.raises(Invalid):
        set_version("", "1.0.0")
    assert drop_dependency("dependencies = 3", "a/b") == "dependencies = 3"


@given(dependencies)
def test_what_is_set_is_read_back(wanted: Dependency) -> None:
    new = set_dependency(PROJECT, "acme/new", wanted)
    assert parse_project(new).dependencies["acme/new"] == wanted
    assert drop_dependency(new, "acme/new") == PROJECT
