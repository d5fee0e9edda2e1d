"""The golden cases of a folder, run in every runtime that is installed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from modelshelf.checks.safety.consent import CONSENT, carries_code
from modelshelf.errors import Problem
from modelshelf.package.record import Artifact, Golden, Record, Variant, golden_of
from modelshelf.serve.golden import Outcome, run


def outcomes(
    folder: Path, record: Record, *, consent: bool, unless: bool = False
) -> tuple[Outcome, ...]:
    """What becomes of every case in every format; formats that carry code only with `consent`.

    Nothing is run where other problems come first: `unless` tells.
    """
    return tuple(_outcomes(folder, record, consent=consent, wait=unless))


def _outcomes(folder: Path, record: Record, *, consent: bool, wait: bool) -> Iterator[Outcome]:
    for variant in record.variants:
        for artifact in variant.artifacts if golden_of(record, variant) else ():
            if wait:
                yield from _unrun(record, variant, artifact, "other problems come first")
            elif carries_code(artifact.format) and not consent:
                yield from _unrun(record, variant, artifact, f"it runs code: needs {CONSENT}")
            else:
                yield from run(folder, record, variant, artifact)


def _unrun(record: Record, variant: Variant, artifact: Artifact, why: str) -> Iterator[Outcome]:
    for case in golden_of(record, variant):
        yield Outcome(case.name, variant.name, artifact.format, why=why)


def problems(record: Record, found: Iterable[Outcome]) -> Iterator[Problem]:
    """One for each case that a runtime did not reproduce."""
    places = {case.name: (number, case) for number, case in enumerate(record.golden)}
    for each in found:
        if each.agrees is False:
            number, case = places[each.case]
            yield Problem(
                f"golden case `{each.case}`: {each.variant} ({each.format}) in "
                f"{each.runtime or 'its runtime'}: {_words(each, case)}",
                file=case.outputs,
                element=f"golden[{number}]",
                hint="export the model or the case again, or say the tolerance that it needs",
                rule="golden",
            )


def _words(outcome: Outcome, case: Golden) -> str:
    if outcome.why is not None:
        return outcome.why
    return (
        f"`{outcome.output}` differs by {outcome.worst:.3g}, "
        f"beyond {case.absolute:g} + {case.relative:g} of the value"
    )
