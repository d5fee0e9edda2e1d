"""What of two releases belongs together: variants by name, artifacts by format and precision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Pair
from modelshelf.package.record import Artifact, Entrypoint, Variant
from modelshelf.package.signature import Signature

SOURCE_SUFFIX = ".py"
TEXT_SUFFIX = ".md"
CALLED_BY_NAME = ("tf-savedmodel", "tf-hub-module", "tflite")
"""Formats whose files name signatures for their callers."""


class Variants(NamedTuple):
    """A variant that both releases have; `place` is where it stands in the new record."""

    place: str
    old: Variant
    new: Variant


class Artifacts(NamedTuple):
    """The artifacts that both releases have of one variant, format and precision."""

    place: str
    variant: str
    format: str
    precision: str | None
    old: tuple[Artifact, ...]
    new: tuple[Artifact, ...]

    def __str__(self) -> str:
        """``variant `small` as onnx, float32``."""
        precision = f", {self.precision}" if self.precision else ""
        return f"variant `{self.variant}` as {self.format}{precision}"


class Ways(NamedTuple):
    """How to call the models, before and after: signatures by name."""

    place: str
    old: dict[str, Signature]
    new: dict[str, Signature]


def variants(pair: Pair) -> Iterator[Variants]:
    """The variants of both releases, in the new one's order."""
    before = {variant.name: variant for variant in pair.old.record.variants}
    for number, variant in enumerate(pair.new.record.variants):
        if variant.name in before:
            yield Variants(f"variants[{number}]", before[variant.name], variant)


def artifacts(pair: Pair) -> Iterator[Artifacts]:
    """The artifacts of both releases, by variant, format and precision."""
    for each in variants(pair):
        before = by_kind(pair.old, each.old)
        after = by_kind(pair.new, each.new)
        for (format_name, precision), old in before.items():
            new = after.get((format_name, precision))
            if new:
                place = f"{each.place}.artifacts"
                yield Artifacts(place, each.new.name, format_name, precision, old, new)


def by_kind(
    contract: Contract, variant: Variant
) -> dict[tuple[str, str | None], tuple[Artifact, ...]]:
    """The artifacts of `variant` by format and precision."""
    found: dict[tuple[str, str | None], tuple[Artifact, ...]] = {}
    for artifact in variant.artifacts:
        kind = artifact.format, precision_of(contract, artifact)
        found[kind] = (*found.get(kind, ()), artifact)
    return found


def precision_of(contract: Contract, artifact: Artifact) -> str | None:
    """What the record says, else what the files say."""
    if artifact.precision is not None:
        return artifact.precision
    said = (contract.facts.get(path) for path in artifact.files)
    return next((facts.precision for facts in said if facts and facts.precision), None)


def ways(pair: Pair) -> Iterator[Ways]:
    """How the models are called: once for all variants where both records declare it."""
    if pair.old.record.signatures and pair.new.record.signatures:
        yield Ways("signatures", pair.old.record.signatures, pair.new.record.signatures)
        return
    seen: list[Ways] = []
    for each in variants(pair):
        found = Ways("signatures", called(pair.old, each.old), called(pair.new, each.new))
        if not _named_by_files(pair, each):
            found = _aligned(found)
        if found not in seen:
            seen.append(found)
            yield found


def _named_by_files(pair: Pair, variant: Variants) -> bool:
    """Whether callers know signatures by the names that the files give them."""
    declared = pair.old.record.signatures or pair.new.record.signatures
    return not declared and variant.old.artifacts[0].format in CALLED_BY_NAME


def _aligned(way: Ways) -> Ways:
    """A graph's own name, which exporters make up, is no name to call it by where it is the only one."""
    if len(way.old) != 1 or len(way.new) != 1:
        return way
    (old_name,) = way.old
    return way._replace(new={old_name: next(iter(way.new.values()))})


def called(contract: Contract, variant: Variant) -> dict[str, Signature]:
    """The signatures of a variant: the declared ones, else those of its first file that tells."""
    if contract.record.signatures:
        return contract.record.signatures
    said = (contract.facts.get(artifact.first) for artifact in variant.artifacts)
    return next((facts.signatures for facts in said if facts and facts.signatures), {})


def same_signatures(pair: Pair) -> Iterator[tuple[str, str, Signature, Signature]]:
    """Each signature of both releases: its name, its place, the old and the new one."""
    for way in ways(pair):
        for name, old in way.old.items():
            if name in way.new:
                yield name, f"{way.place}.{name}", old, way.new[name]


def entrypoints(contract: Contract) -> dict[str, Entrypoint]:
    """The entrypoints declared, else those that the files define.

    Where one is declared without parameters, those in its file count.
    """
    declared = contract.record.entrypoints
    if not declared:
        return {
            name: entrypoint
            for facts in contract.facts.values()
            for name, entrypoint in facts.entrypoints.items()
        }
    return {
        name: each if each.parameters else _read(contract, name, each)
        for name, each in declared.items()
    }


def _read(contract: Contract, name: str, declared: Entrypoint) -> Entrypoint:
    """The entrypoint as its file defines it, where that could be read."""
    facts = contract.facts.get(declared.file)
    return facts.entrypoints.get(name, declared) if facts else declared


def model_files(contract: Contract, artifact: Artifact) -> tuple[str, ...]:
    """The files that a runtime computes with: all but Python source and prose.

    What a graph needs beside it is computed with, whatever it is called.
    """
    needed = _needed(contract, artifact)
    return tuple(
        path
        for path in artifact.files
        if path in needed or not path.endswith((SOURCE_SUFFIX, TEXT_SUFFIX))
    )


def _needed(contract: Contract, artifact: Artifact) -> set[str]:
    """The files that the artifact's files say they need."""
    return {
        (PurePosixPath(path).parent / companion).as_posix()
        for path in artifact.files
        if (facts := contract.facts.get(path)) is not None
        for companion in facts.companions
    }


def source_files(artifact: Artifact) -> tuple[str, ...]:
    """The Python files of an artifact."""
    return tuple(path for path in artifact.files if path.endswith(SOURCE_SUFFIX))


def digests(contract: Contract, paths: tuple[str, ...]) -> tuple[str | None, ...]:
    """The sha256 of each of `paths`, None where the file is missing."""
    return tuple(held.sha256 if (held := contract.files.get(path)) else None for path in paths)
