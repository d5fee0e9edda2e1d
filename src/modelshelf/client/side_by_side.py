"""The models that a comparison names, as the registry tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from modelshelf.client.remote import Registry
from modelshelf.errors import NetworkError, UsageError
from modelshelf.package.entry import Entry
from modelshelf.package.record import Variant, default_variant
from modelshelf.package.side_by_side import Described, Side, parse
from modelshelf.package.variant import named

ALL = "*"
most_sides = 8


def sides(registry: Registry, texts: Sequence[str]) -> tuple[Side, ...]:
    """The models that `NAME[@VERSION][:VARIANT]` name.

    Without a version the newest release is meant, without a variant the default one; `:*` means
    every variant, and so does a package that is named alone. Raises NotFound, UsageError.
    """
    describe = cache(lambda name, version: _described(registry, name, version))
    found = [
        Side(release, variant)
        for text in texts
        for name, version, wanted in [parse(text)]
        for release in [describe(name, version)]
        for variant in _variants(release.entry, wanted or (ALL if len(texts) == 1 else None))
    ]
    if not 2 <= len(found) <= most_sides:
        raise UsageError(
            "this is one model" if len(found) == 1 else f"these are {len(found)} models",
            expected=f"2 to {most_sides}, such as acme/mobilenet acme/resnet@2.0.0:r50",
            hint=None if len(found) == 1 else "name the variants: NAME:VARIANT",
        )
    return tuple(found)


def _described(registry: Registry, name: str, version: str | None) -> Described:
    told = registry.describe(name, version)
    try:
        return msgspec.convert(told, Described)
    except msgspec.ValidationError as error:
        raise NetworkError(
            f"the answer is not one of a Modelshelf registry: {error}", where=registry.url
        ) from None


def _variants(entry: Entry, wanted: str | None) -> tuple[Variant, ...]:
    if wanted == ALL:
        return entry.variants
    return (named(entry.variants, wanted) if wanted else default_variant(entry.variants),)
