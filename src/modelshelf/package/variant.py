"""Choosing: which variants and artifacts of a release answer what was asked."""

from __future__ import annotations

from collections.abc import Callable

from modelshelf.errors import NotFound
from modelshelf.package.record import Artifact, Dependency, Variant, default_variant
from modelshelf.package.vocabularies import nearest

DEFAULT_CONTEXT = "python"


def chosen(variants: tuple[Variant, ...], wanted: Dependency) -> tuple[Variant, ...]:
    """The variants that `wanted` names, `*` for all, the default one where it names none.

    Raises NotFound with the nearest name.
    """
    if not wanted.variants:
        return (default_variant(variants),)
    if "*" in wanted.variants:
        return variants
    return tuple(named(variants, name) for name in wanted.variants)


def named(variants: tuple[Variant, ...], name: str) -> Variant:
    """The variant called `name`. Raises NotFound with the nearest name."""
    for variant in variants:
        if variant.name == name:
            return variant
    names = [variant.name for variant in variants]
    raise NotFound(
        f"there is no variant `{name}`",
        expected=", ".join(names),
        hint=nearest(name, names) or "name one of these with --variant",
    )


def negotiated(variant: Variant, wanted: Dependency, unsafe: Callable[[str], bool]) -> Artifact:
    """The artifact of `variant` for the wanted format and context.

    Where no format is named, formats that are `unsafe` (they carry code) come last; among equals the
    publisher's order decides. Raises NotFound where none fits.
    """
    context = wanted.context or DEFAULT_CONTEXT
    fitting = [
        artifact
        for artifact in variant.artifacts
        if wanted.format in (None, artifact.format)
        and (context in artifact.contexts or (wanted.format and not wanted.context))
    ]
    if fitting:
        return min(fitting, key=lambda artifact: unsafe(artifact.format))
    offered = sorted({f"{a.format} for {', '.join(a.contexts)}" for a in variant.artifacts})
    asked = f"{wanted.format or 'any format'} for {context}"
    raise NotFound(
        f"variant `{variant.name}` is not offered as {asked}",
        expected="; ".join(offered),
        hint="choose another with --format or --context",
    )
