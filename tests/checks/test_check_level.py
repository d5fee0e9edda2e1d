"""Level: what the level of documentation asks for and the package does not say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modelshelf.checks import Staged
from modelshelf.checks.documentation.level import check
from modelshelf.package.elements import Level

Build = Callable[..., Staged]

# What the good package, which reaches `minimal`, lacks for more.
DOCUMENTED = [
    "package.developers",
    "package.algorithm",
    "package.datasets",
    "variants.metrics",
]


@pytest.mark.parametrize(("level", "least"), [("documented", 4), ("complete", 12)])
def test_what_is_missing_is_listed_with_how_to_add_it(
    staged: Build, level: Level, least: int
) -> None:
    found = list(check(staged()._replace(level=level)))
    places = [each.element for each in found]
    assert [each for each in places if each in DOCUMENTED] == DOCUMENTED
    assert len(places) >= least
    assert all((each.hint or "").startswith("add ") for each in found)


def test_what_the_files_say_counts(staged: Build) -> None:
    found = check(staged()._replace(level="documented"))
    assert not {"signatures", "package.usage"} & {each.element for each in found}


def test_the_least_is_enough_for_minimal(staged: Build) -> None:
    assert list(check(staged())) == []


@pytest.mark.parametrize(
    "line", ['summary = "Doubles numbers"', 'license = "Apache-2.0"', 'task = "other"']
)
def test_less_than_the_least(staged: Build, line: str) -> None:
    (problem,) = check(staged(f"{line}\n", ""))
    assert problem.element == f"package.{line.split(maxsplit=1)[0]}"
    assert "`minimal`" in problem.message
