"""The version says as much as the changes since the release before ask for."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.checks.diff import Diff, claimed, diff, next_version, suffices
from modelshelf.errors import Problem
from modelshelf.package.version import Version

FINDING_COUNT = 5
"""How many of the changes that ask for more are named."""


def check(staged: Staged) -> Iterator[Problem]:
    """Yield one problem where the version is too low; a warning where that is overridden.

    A pre-release has promised nothing yet, so what follows it may change as it likes.
    """
    if staged.previous is None or staged.contract is None:
        return
    before = staged.previous.record.package.version
    if Version.parse(before).prerelease:
        return
    found = diff(staged.previous, staged.contract)
    if not suffices(found.old, found.new, found.level):
        yield _too_low(found, staged.override)


def _too_low(found: Diff, override: str | None) -> Problem:
    right = next_version(found.old, found.level)
    asking = [each for each in found.findings if not suffices(found.old, found.new, each.level)]
    named = [f"{each.message} ({each.lint})" for each in asking[:FINDING_COUNT]]
    if len(asking) > FINDING_COUNT:
        named.append(f"and {len(asking) - FINDING_COUNT} more")
    step = claimed(found.old, found.new)
    return Problem(
        f"{found.new} is a {step} step from {found.old}, the changes ask for a {found.level} one: "
        + "; ".join(named),
        element="package.version",
        hint=f"overridden: {override}"
        if override
        else f'use {right}, or publish with --override-level "REASON"; '
        f"`shelf diff` shows every change",
        rule="level",
        warning=override is not None,
    )
