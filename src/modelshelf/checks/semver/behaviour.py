"""Lints of behaviour: weights that moved, and what the golden cases say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modelshelf.checks.behaviour import compared, drifted, moved, outcome, shown
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import Variants, artifacts, called, digests, model_files, variants
from modelshelf.package.record import Golden, golden_of

SPACES = ("embedding", "feature-vector")
"""Meanings of outputs whose values only their own weights define."""


def _changed(pair: Pair) -> Iterator[Found]:
    for variant in variants(pair):
        what = moved(pair, variant)
        if what and outcome(pair, variant) == "unknown":
            cases = golden_of(pair.old.record, variant.old)
            why = "its golden cases do not tell" if cases else "there is no golden case to tell"
            message = f"{_weights(variant, what)} changed, and {why} what that does"
            yield Found(message, f"{variant.place}.artifacts")


def _weights(variant: Variants, what: tuple[str, ...]) -> str:
    return f"the weights of variant `{variant.new.name}` ({'; '.join(what)})"


def _rewritten(pair: Pair) -> Iterator[Found]:
    for variant in variants(pair):
        what = moved(pair, variant)
        if what and outcome(pair, variant) == "same":
            message = f"{_weights(variant, what)} changed, its golden outputs hold"
            yield Found(message, f"{variant.place}.artifacts")


def _files(pair: Pair) -> Iterator[Found]:
    rewritten = {variant.new.name for variant in variants(pair) if moved(pair, variant)}
    for each in artifacts(pair):
        before = [digests(pair.old, model_files(pair.old, artifact)) for artifact in each.old]
        after = [digests(pair.new, model_files(pair.new, artifact)) for artifact in each.new]
        if each.variant not in rewritten and any(files not in after for files in before):
            yield Found(f"{each}: other bytes around the same tensors", each.place)


def _drift(pair: Pair) -> Iterator[Found]:
    for each in drifted(pair):
        message = f"golden case `{each.case.name}`: {each.detail}, beyond {_tolerated(each.case)}"
        yield Found(message, each.place, f"the inputs of {each.case.inputs}")


def _space(pair: Pair) -> Iterator[Found]:
    for variant in variants(pair):
        for output in _outputs(pair, variant):
            told, place = f"variant `{variant.new.name}`", f"signatures.{output.place}.space"
            if output.old and output.new and output.old != output.new:
                message = f"{told}: `{output.place}` was in the space `{output.old}` and is in `{output.new}`"
                yield Found(message, place)
            elif output.moved and (output.old is None or output.old != output.new):
                message = f"{told}: other weights put `{output.place}` into another space"
                yield Found(message, place, "a vector stored by the old release")


class Output(NamedTuple):
    """An output that lives in a space: the spaces declared, and whether its vectors moved."""

    place: str
    old: str | None
    new: str | None
    moved: bool


def _outputs(pair: Pair, variant: Variants) -> Iterator[Output]:
    after = called(pair.new, variant.new)
    for name, old in called(pair.old, variant.old).items():
        for output, tensor in old.outputs.items():
            new = after[name].outputs.get(output) if name in after else None
            if tensor.meaning in SPACES and new is not None:
                seen = shown(pair, variant, name, output)
                other = seen == "drift" or (seen == "unknown" and bool(moved(pair, variant)))
                yield Output(f"{name}.outputs.{output}", tensor.space, new.space, other)


def _case_removed(pair: Pair) -> Iterator[Found]:
    for case in pair.old.record.golden:
        found = compared(pair, case)
        if found.outcome == "unknown":
            yield Found(f"golden case `{case.name}`: {found.detail}", found.place)
    after = {case.name for case in pair.new.record.golden}
    for variant in variants(pair):
        names = {case.name for case in golden_of(pair.new.record, variant.new)}
        for case in golden_of(pair.old.record, variant.old):
            if case.name in after - names:
                message = (
                    f"golden case `{case.name}` holds for variant `{variant.new.name}` no more"
                )
                yield Found(message, "golden")


def _case_added(pair: Pair) -> Iterator[Found]:
    before = {case.name for case in pair.old.record.golden}
    for number, case in enumerate(pair.new.record.golden):
        if case.name not in before:
            yield Found(f"there is another golden case, `{case.name}`", f"golden[{number}]")


def _tolerance(pair: Pair) -> Iterator[Found]:
    before = {case.name: case for case in pair.old.record.golden}
    for number, case in enumerate(pair.new.record.golden):
        old = before.get(case.name)
        if old and (case.absolute > old.absolute or case.relative > old.relative):
            message = f"golden case `{case.name}`: {_tolerated(old)} became {_tolerated(case)}"
            yield Found(message, f"golden[{number}]")


def _tolerated(case: Golden) -> str:
    return f"the tolerance (absolute {case.absolute:g}, relative {case.relative:g})"


LINTS: tuple[Lint, ...] = (
    Lint(
        "weights-changed", "minor",
        "The tensors of an artifact, or the graph and code stored with them, changed, and no golden "
        "case shows what that does to the answers. Nobody can call that a patch; the release is "
        "marked `unverified`.",
        _changed, "tensors", "Try the new release on your own data first.",
    ),
    Lint(
        "weights-rewritten", "patch",
        "The weights changed, but every golden case of the variant gives its old outputs within the "
        "old tolerance: another encoding or another exporter.",
        _rewritten, "tensors",
    ),
    Lint(
        "files-rewritten", "patch",
        "A file of an artifact was written anew with the same tensors: behaviour cannot have changed.",
        _files,
    ),
    Lint(
        "golden-output-drift", "minor",
        "The same golden inputs give outputs beyond the tolerance that the old release stated. The "
        "contract still holds, but answers differ; metrics tell whether they are worse.",
        _drift, "tensors", "Compare thresholds and stored answers with the new outputs.",
    ),
    Lint(
        "embedding-space-changed", "major",
        "An embedding or feature vector lives in a space that only its own weights define. Other "
        "weights give vectors that must not be compared with stored ones, unless golden cases of that "
        "output show the same vectors or both releases declare the same `space`.",
        _space, "tensors", "Compute all stored vectors again; do not mix them.",
    ),
    Lint(
        "golden-case-removed", "minor",
        "A golden case is gone, has other inputs, or no longer holds for a variant. Calls still work, "
        "but one thing that callers could rely on is not shown any more.",
        _case_removed,
    ),
    Lint(
        "golden-case-added", "patch",
        "One more example of what the models answer. They answered so before.",
        _case_added,
    ),
    Lint(
        "golden-tolerance-widened", "minor",
        "Outputs may now lie further from the golden ones: later releases are promised to be less "
        "like this one.",
        _tolerance,
    ),
)  # fmt: skip
