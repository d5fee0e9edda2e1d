"""Lints of what is written about the models: it changes nothing in them."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import SOURCE_SUFFIX
from modelshelf.package.record import Package, is_text

FIELDS = (
    "summary", "copyright", "keywords", "developers", "source", "issues", "contributing", "homepage",
    "papers", "demo", "security", "readme", "usage", "notes",
)  # fmt: skip
FILES = ("readme", "usage", "notes")
"""Fields that name a file."""
STATED = ("task", "algorithm", "datasets", "language")
"""Fields that other lints watch once they were told; telling them for the first time is a word."""


def _fields(pair: Pair) -> list[str]:
    old, new = pair.old.record.package, pair.new.record.package
    changed = [
        name
        for name in FIELDS
        if getattr(old, name) != getattr(new, name)
        or (name in FILES and _text(pair.old, old, name) != _text(pair.new, new, name))
    ]
    return changed + [name for name in STATED if getattr(new, name) and not getattr(old, name)]


def _text(contract: Contract, package: Package, field: str) -> str | None:
    """The digest of the file that a field names."""
    value: str | None = getattr(package, field)
    held = contract.files.get(value) if value and not is_text(value) else None
    return held.sha256 if held else None


def _documentation(pair: Pair) -> Iterator[Found]:
    for name in _fields(pair):
        yield Found(f"`{name}` changed", f"package.{name}")
    for place in _described(pair):
        yield Found("its description changed", place)
    old, new = pair.old.record.training, pair.new.record.training
    for name in ("description", "checkpoint", "preprocessing"):
        if (old and getattr(old, name)) != (new and getattr(new, name)):
            yield Found(f"`{name}` of training changed", f"training.{name}")
    if any(each.kind == "base" for each in pair.new.record.dependencies.values()) and not any(
        each.kind == "base" for each in pair.old.record.dependencies.values()
    ):
        yield Found("the base of the weights is told", "dependencies")


def _described(pair: Pair) -> Iterator[str]:
    """Signatures, entrypoints and variants that are described otherwise."""
    old, new = pair.old.record, pair.new.record
    for name, signature in new.signatures.items():
        before = old.signatures.get(name)
        if before and before.description != signature.description:
            yield f"signatures.{name}"
    for name, entrypoint in new.entrypoints.items():
        known = old.entrypoints.get(name)
        if known and known.description != entrypoint.description:
            yield f"entrypoints.{name}"
    summaries = {variant.name: variant.summary for variant in old.variants}
    for number, variant in enumerate(new.variants):
        if variant.name in summaries and summaries[variant.name] != variant.summary:
            yield f"variants[{number}].summary"


def _included(pair: Pair) -> Iterator[Found]:
    before, after = (set(each.record.package.include) for each in pair)
    for path in sorted(before | after):
        old, new = pair.old.files.get(path), pair.new.files.get(path)
        if not path.endswith(SOURCE_SUFFIX) and (old and old.sha256) != (new and new.sha256):
            yield Found(f"`{path}` changed", "package.include")


LINTS: tuple[Lint, ...] = (
    Lint(
        "documentation-changed", "patch",
        "Something is written otherwise: readme, summary, descriptions, links, people.",
        _documentation,
    ),
    Lint(
        "included-file-changed", "patch",
        "A file changed that is shipped along and that no part of the record uses.",
        _included,
    ),
)  # fmt: skip
