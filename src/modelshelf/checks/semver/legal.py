"""Lints of the license: whether callers may still do what they did."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.package.license import grants


def _licenses(pair: Pair) -> tuple[str | None, str | None]:
    return pair.old.record.package.license, pair.new.record.package.license


def _found(pair: Pair) -> Found:
    old, new = _licenses(pair)
    return Found(f"the license was {old or 'not told'} and is {new or 'not told'}", "package.license")  # fmt: skip


def _narrowed(pair: Pair) -> Iterator[Found]:
    old, new = _licenses(pair)
    if old != new and not grants(new, old):
        yield _found(pair)


def _widened(pair: Pair) -> Iterator[Found]:
    old, new = _licenses(pair)
    if old != new and grants(new, old) and not grants(old, new):
        yield _found(pair)


def _changed(pair: Pair) -> Iterator[Found]:
    old, new = _licenses(pair)
    if old != new and grants(new, old) and grants(old, new):
        yield _found(pair)


LINTS: tuple[Lint, ...] = (
    Lint(
        "license-narrowed", "major",
        "The new license grants less: copyleft where there was none, another copyleft license, no "
        "commercial use, no derivatives, or a license that nobody here knows. A caller who upgrades "
        "could break the law without changing a line.",
        _narrowed, None, "Have the new license read before upgrading.",
    ),
    Lint(
        "license-widened", "minor",
        "The new license grants all that the old one did, and more.",
        _widened,
    ),
    Lint(
        "license-changed", "minor",
        "One permissive license took the place of another. Both allow the same uses; notices and "
        "patent clauses differ.",
        _changed, None, "Ship the new license's notice.",
    ),
)  # fmt: skip
