"""A declared signature and the one inside the file are the same; what a file lacks is declared."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks import Staged
from modelshelf.errors import Problem
from modelshelf.package.signature import Signature, disagreement


def check(staged: Staged) -> Iterator[Problem]:
    """Yield each place where record and file disagree, with both values."""
    declared = staged.record.signatures
    if not declared:
        yield from _unknown(staged)
        return
    for path, facts in staged.facts.items():
        for extracted in facts.signatures.values():
            yield from _against(path, extracted, declared)


def _against(path: str, extracted: Signature, declared: dict[str, Signature]) -> Iterator[Problem]:
    """Compare with the declared signature that is nearest."""
    found = {name: disagreement(said, extracted) for name, said in declared.items()}
    name = min(found, key=lambda each: len(found[each]))
    for place, said, read in found[name]:
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
