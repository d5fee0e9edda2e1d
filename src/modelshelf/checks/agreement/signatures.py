"""A declared signature and the one inside the file are the same; what a file lacks is declared."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.package.signature import Signature, disagreement

Disagreement = list[tuple[str, str, str]]
COMPARISON_COUNT = 10_000
"""Pairs of signatures looked at before each one of a file is compared with its own name's alone."""


def check(staged: Staged) -> Iterator[Problem]:
    """Yield each place where record and file disagree, with both values."""
    declared = staged.record.signatures
    if not declared:
        yield from _unknown(staged)
        return
    left = COMPARISON_COUNT
    for path, facts in staged.facts.items():
        for own, extracted in facts.signatures.items():
            first = declared if own not in declared else {own: declared[own], **declared}
            near = first if left > 0 else dict(islice(first.items(), 1))
            found, compared = _nearest(near, extracted)
            left -= compared
            yield from _against(path, *found)


def _nearest(
    declared: dict[str, Signature], extracted: Signature
) -> tuple[tuple[str, Disagreement], int]:
    """The declared signature that is nearest, where it disagrees; how many were looked at."""
    best: tuple[str, Disagreement] | None = None
    count = 0
    for name, said in declared.items():
        count += 1
        wrong = disagreement(said, extracted)
        if best is None or len(wrong) < len(best[1]):
            best = name, wrong
        if not wrong:
            break
    assert best is not None
    return best, count


def _against(path: str, name: str, found: Disagreement) -> Iterator[Problem]:
    for place, said, read in found:
        yield Problem(
            f"signature `{name}`, {place}: declared {said}, but the file says {read}",
            file=path,
            element=f"signatures.{name}.{place}",
            hint="change the declaration, or export the model again",
            rule="signatures",
        )


def _unknown(staged: Staged) -> Iterator[Problem]:
    """Variants of which neither a file nor an entrypoint tells how they are called."""
    for number, variant in enumerate(staged.record.variants):
        firsts = [staged.facts.get(artifact.files[0]) for artifact in variant.artifacts]
        told = any(facts and facts.signature_known for facts in firsts)
        if not (told or variant.entrypoint):
            yield Problem(
                f"no file of variant `{variant.name}` can carry a signature, and none is declared",
                element=f"variants[{number}]",
                hint="add [signatures.NAME.inputs.X] and [signatures.NAME.outputs.Y] tables",
                rule="signatures",
            )
