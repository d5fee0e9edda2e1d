"""Lints of the product line: which variants there are, which one is meant, what features they have."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import variants
from modelshelf.package.record import default_variant


def _removed(pair: Pair) -> Iterator[Found]:
    names = {variant.name for variant in pair.new.record.variants}
    for variant in pair.old.record.variants:
        if variant.name not in names:
            name = pair.old.record.package.name
            witness = f'load("{name}", variant="{variant.name}")'
            yield Found(f"the variant `{variant.name}` is gone", "variants", witness)


def _added(pair: Pair) -> Iterator[Found]:
    names = {variant.name for variant in pair.old.record.variants}
    for number, variant in enumerate(pair.new.record.variants):
        if variant.name not in names:
            yield Found(f"there is another variant, `{variant.name}`", f"variants[{number}]")


def _default(pair: Pair) -> Iterator[Found]:
    old, new = (default_variant(each.record.variants).name for each in pair)
    if old != new:
        witness = f'load("{pair.old.record.package.name}")'
        yield Found(f"without a name `{old}` was meant, now it is `{new}`", "variants", witness)


def _feature_changed(pair: Pair) -> Iterator[Found]:
    for each in variants(pair):
        for name, old in each.old.features.items():
            new = each.new.features.get(name)
            if new != old or isinstance(new, bool) != isinstance(old, bool):
                became = "not told any more" if new is None else f"{new} now"
                message = f"{name} of variant `{each.new.name}` was {old} and is {became}"
                yield Found(message, f"{each.place}.features.{name}", f"a choice by {name} = {old}")


def _feature_added(pair: Pair) -> Iterator[Found]:
    for each in variants(pair):
        for name, value in each.new.features.items():
            if name not in each.old.features:
                message = f"{name} of variant `{each.new.name}` is told: {value}"
                yield Found(message, f"{each.place}.features.{name}")


LINTS: tuple[Lint, ...] = (
    Lint(
        "variant-removed", "major", "A variant is gone. Whoever names it gets an error.",
        _removed, None, "Choose another variant.",
    ),
    Lint("variant-added", "minor", "There is another variant to choose.", _added),
    Lint(
        "default-variant-changed", "major",
        "Whoever names no variant gets another one. It may be larger, slower or other in its answers, "
        "and nothing fails.",
        _default, None, "Name the variant.",
    ),
    Lint(
        "feature-changed", "major",
        "A feature of a variant has another value under the same name. Whoever chose it by constraints "
        "has a model that does not meet them.",
        _feature_changed, None, "Choose again by your constraints.",
    ),
    Lint(
        "feature-added", "minor", "One more feature of a variant is told, to choose by.",
        _feature_added,
    ),
)  # fmt: skip
