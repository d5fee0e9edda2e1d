"""A package says at least what the level of documentation asked for demands."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.package.elements import lacking


def check(staged: Staged) -> Iterator[Problem]:
    """Yield the elements that are missing, each with how to add it."""
    yield from lacking(staged.values, staged.level)
