"""What a search is narrowed by and what it answers: the words that both sides share."""

from __future__ import annotations

from typing import Literal

import msgspec

FACETS = (
    "task", "algorithm", "dataset", "license", "format", "context", "framework", "hub",
    "availability",
)  # fmt: skip
"""What a search can be narrowed by, in the order in which pages show it."""

Availability = Literal["installable", "described-only", "files-gone"]
"""Whether a package can be installed, or is only described; and then, whether its hub has files."""


class Hit(msgspec.Struct, frozen=True):
    """A package as a list of results shows it: its newest release. `published` is RFC 3339.

    `hub` is where it was imported from.
    """

    name: str
    version: str
    summary: str | None = None
    task: str | None = None
    algorithm: str | None = None
    license: str | None = None
    datasets: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    downloads: int = 0
    published: str | None = None
    hub: str | None = None
    availability: Availability = "installable"


class Choice(msgspec.Struct, frozen=True):
    """One value of a facet and how many packages choosing it would find."""

    value: str
    count: int


class Found(msgspec.Struct, frozen=True):
    """The answer: `total` packages match, `results` holds one page of them, best first.

    `facets` has the most frequent values of each facet; their counts are exact.
    """

    total: int
    results: tuple[Hit, ...]
    facets: dict[str, tuple[Choice, ...]] = {}
