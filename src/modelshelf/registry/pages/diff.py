"""The page that compares two releases: changes by level, metrics and sizes side by side."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from modelshelf.checks.diff import Finding
from modelshelf.package.entry import LEVELS, Level
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call

FINDING_COUNT = 200
"""How many changes of one level the page shows."""


class Group(NamedTuple):
    """The changes of one level, as many as are shown, and how many more there are."""

    level: Level
    findings: tuple[Finding, ...]
    more: int


def diff(call: Call) -> Response:
    """Compare two releases of a package."""
    publisher, name = call.path("publisher"), call.path("name")
    found = call.service.comparisons.compared((publisher, name, call.path("old"), call.path("new")))
    context = {
        "publisher": publisher,
        "name": name,
        "compared": found,
        "groups": _groups(found.diff.findings),
        "metrics": found.metrics[:FINDING_COUNT],
        "sizes": found.sizes[:FINDING_COUNT],
    }
    return page(call.request, "diff.html", context)


def _groups(findings: tuple[Finding, ...]) -> tuple[Group, ...]:
    """The changes by level, the largest first."""
    made = []
    for level in reversed(LEVELS):
        own = [each for each in findings if each.level == level]
        shown = tuple(own[:FINDING_COUNT])
        if own:
            made.append(Group(level, shown, len(own) - len(shown)))
    return tuple(made)


PAGE = Page("/{publisher}/{name}/diff/{old}...{new}", diff)
