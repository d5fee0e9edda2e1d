"""Every lint finds what its fixture shows, and is silent where it should be."""

from __future__ import annotations

import re

import pytest

from modelshelf.checks.diff import Lint, diff, lints
from modelshelf.package.entry import AXES, LEVELS
from tests.checks.semver.pairs import fixtures, patched


def test_every_lint_has_its_pair() -> None:
    assert set(fixtures()) == set(lints())


@pytest.mark.parametrize("name", lints())
def test_it_finds_what_it_should(name: str) -> None:
    fixture = fixtures()[name]
    found = diff(patched(fixture.old), patched(fixture.old, fixture.new))
    assert {finding.lint for finding in found.findings} == set(fixture.finds)
    assert name in fixture.finds
    assert found.level == fixture.level
    (first, *_) = (finding for finding in found.findings if finding.lint == name)
    assert re.search(r"\w", first.message)
    assert first.element


@pytest.mark.parametrize("name", lints())
def test_it_is_silent_where_it_should_be(name: str) -> None:
    fixture = fixtures()[name]
    found = diff(patched(fixture.old), patched(fixture.old, fixture.silent))
    assert name not in {finding.lint for finding in found.findings}
    assert patched(fixture.old) != patched(fixture.old, fixture.silent)


@pytest.mark.parametrize("lint", lints().values(), ids=lambda lint: lint.id)
def test_it_explains_itself(lint: Lint) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", lint.id)
    assert lint.level in LEVELS
    assert lint.axis in (*AXES, None)
    assert all(text.endswith(".") for text in (lint.about, lint.advice) if text is not None)
    assert lint.advice or lint.level != "major"
