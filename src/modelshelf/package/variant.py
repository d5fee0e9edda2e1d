"""Choosing: which variants and artifacts of a release answer what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from modelshelf.errors import NotFound
from modelshelf.package import condition
from modelshelf.package.entry import Entry
from modelshelf.package.environment import Environment
from modelshelf.package.record import Artifact, Dependency, Variant, default_variant
from modelshelf.package.vocabularies import nearest

DEFAULT_CONTEXT = "python"
Key = tuple[str, str, str | None]
"""Variant, format and precision: which artifact of a release is meant."""
Unsafe = Callable[[str], bool]
"""Whether a format carries code: such formats come last where none is named."""


def selected(
    entry: Entry, wanted: Dependency, environment: Environment, unsafe: Unsafe
) -> dict[Key, Artifact]:
    """The artifacts of `entry` that answer `wanted` in `environment`.

    Raises NotFound where there are none, with the nearest name or what is offered instead.
    """
    found = {
        (variant.name, artifact.format, artifact.precision): artifact
        for variant in _meant(entry, wanted, environment)
        for artifact in _best(entry, variant, wanted, environment, unsafe)
    }
    if not _complete({name for name, _, _ in found}, wanted):
        raise _nothing(entry, wanted, environment)
    return found


def fits(entry: Entry, wanted: Dependency, environment: Environment) -> bool:
    """Whether `selected` would find something."""
    try:
        meant = _meant(entry, wanted, environment)
    except NotFound:
        return False
    offered = {each.name for each in meant if any(_offered(entry, each, wanted, environment))}
    return _complete(offered, wanted)


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


def negotiated(variant: Variant, wanted: Dependency, unsafe: Unsafe) -> Artifact | None:
    """The artifact of `variant` for the wanted format and context; None where there is none.

    Where no format is named, formats that carry code come last; among equals the publisher's
    order decides.
    """
    fitting = [each for each in variant.artifacts if _usable(each, wanted, Environment())]
    return min(fitting, key=lambda each: unsafe(each.format), default=None)


def _complete(found: set[str], wanted: Dependency) -> bool:
    """Whether something was found, and of every variant that was named."""
    return bool(found) and ("*" in wanted.variants or found.issuperset(wanted.variants))


def _meant(entry: Entry, wanted: Dependency, environment: Environment) -> tuple[Variant, ...]:
    """The variants asked for; where conditions decide, the default one or the first that meets them."""
    if "*" in wanted.variants:
        return entry.variants
    if wanted.variants:
        return tuple(named(entry.variants, name) for name in wanted.variants)
    default = default_variant(entry.variants)
    if wanted.where is None:
        return (default,)
    ordered = (default, *(each for each in entry.variants if each is not default))
    return tuple(
        islice((each for each in ordered if any(_offered(entry, each, wanted, environment))), 1)
    )


def _offered(
    entry: Entry, variant: Variant, wanted: Dependency, environment: Environment
) -> Iterator[Artifact]:
    """The artifacts of `variant` that the environment can use and that meet the conditions."""
    asked = _conditions(wanted.where) if wanted.where else ()
    for artifact in variant.artifacts:
        if _usable(artifact, wanted, environment) and not (
            asked and condition.missed(asked, condition.facts(entry, variant, artifact))
        ):
            yield artifact


@lru_cache(1024)
def _conditions(text: str) -> tuple[condition.Condition, ...]:
    return condition.parse(text)


def _best(
    entry: Entry, variant: Variant, wanted: Dependency, environment: Environment, unsafe: Unsafe
) -> list[Artifact]:
    """One artifact, or none: of what is offered, what the environment prefers, else no code."""

    def rank(artifact: Artifact) -> tuple[int, int, bool]:
        formats, contexts = environment.formats, environment.contexts
        runs = [place for place, each in enumerate(contexts) if each in artifact.contexts]
        place = formats.index(artifact.format) if formats else 0
        return place, min(runs, default=0), unsafe(artifact.format)

    return sorted(_offered(entry, variant, wanted, environment), key=rank)[:1]


def _usable(artifact: Artifact, wanted: Dependency, environment: Environment) -> bool:
    if wanted.format not in (None, artifact.format):
        return False
    if environment.formats and artifact.format not in environment.formats:
        return False
    if wanted.context:
        return wanted.context in artifact.contexts
    if environment.contexts:
        return not {*environment.contexts}.isdisjoint(artifact.contexts)
    return wanted.format is not None or DEFAULT_CONTEXT in artifact.contexts


def _nothing(entry: Entry, wanted: Dependency, environment: Environment) -> NotFound:
    formats = wanted.format or " or ".join(environment.formats)
    asked = [
        *([f"as {formats}"] if formats else []),
        f"for {wanted.context or ' or '.join(environment.contexts) or DEFAULT_CONTEXT}",
        *([f"with {wanted.where}"] if wanted.where else []),
    ]
    meant = wanted.variants or (() if wanted.where else (default_variant(entry.variants).name,))
    models = [each for each in entry.variants if not meant or "*" in meant or each.name in meant]
    offered = {f"{a.format} for {', '.join(a.contexts)}" for v in models for a in v.artifacts}
    named_ones = [f"`{each}`" for each in meant if each != "*"]
    what = f"variant {', '.join(named_ones)}" if named_ones else "model"
    return NotFound(
        f"{entry.name} {entry.version} has no {what} {' '.join(asked)}",
        expected="; ".join(sorted(offered)),
        hint="choose another with --format, --context or --variant, or relax the conditions",
    )
