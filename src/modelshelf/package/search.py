"""What a search is narrowed by and what it answers: the words that both sides share."""

from __future__ import annotations

import msgspec

FACETS = ("task", "algorithm", "dataset", "license", "format", "context", "framework")
"""What a search can be narrowed by, in the order in which pages show it."""


class Hit(msgspec.Struct, frozen=True):
    """A package as a list of results shows it: its newest release. `published` is RFC 3339."""

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
