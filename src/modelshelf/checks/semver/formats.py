"""Lints of formats: where a variant can be used, at which precision, and whether loading runs code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import Variants, precision_of, variants
from modelshelf.checks.safety.consent import carries_code
from modelshelf.package.entry import SEVERITIES, Severity
from modelshelf.package.record import Artifact, Dependency, Variant
from modelshelf.package.variant import negotiated


class Formats(NamedTuple):
    """A format of a variant in both releases."""

    variant: Variants
    name: str
    old: tuple[Artifact, ...]
    new: tuple[Artifact, ...]

    @property
    def told(self) -> str:
        """``variant `small` as onnx``."""
        return f"variant `{self.variant.new.name}` as {self.name}"

    @property
    def place(self) -> str:
        """Where it stands in the record."""
        return f"{self.variant.place}.artifacts"


def _by_format(variant: Variant) -> dict[str, tuple[Artifact, ...]]:
    found: dict[str, tuple[Artifact, ...]] = {}
    for artifact in variant.artifacts:
        found[artifact.format] = (*found.get(artifact.format, ()), artifact)
    return found


def _both(pair: Pair) -> Iterator[Formats]:
    for variant in variants(pair):
        after = _by_format(variant.new)
        for name, old in _by_format(variant.old).items():
            if name in after:
                yield Formats(variant, name, old, after[name])


def _removed(pair: Pair) -> Iterator[Found]:
    for each in variants(pair):
        after = _by_format(each.new)
        for name in _by_format(each.old):
            if name not in after:
                message = f"variant `{each.new.name}` is not offered as {name} any more"
                package = pair.old.record.package.name
                witness = f'load("{package}", variant="{each.new.name}", format="{name}")'
                yield Found(message, f"{each.place}.artifacts", witness)


def _added(pair: Pair) -> Iterator[Found]:
    for each in variants(pair):
        before = _by_format(each.old)
        for name in _by_format(each.new):
            if name not in before:
                message = f"variant `{each.new.name}` is offered as {name} too"
                yield Found(message, f"{each.place}.artifacts")


def _contexts(artifacts: tuple[Artifact, ...]) -> list[str]:
    return list(dict.fromkeys(word for artifact in artifacts for word in artifact.contexts))


def _context_removed(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        for context in _contexts(each.old):
            if context not in _contexts(each.new):
                message = f"{each.told} is not for {context} any more"
                yield Found(message, each.place, f"--format {each.name} --context {context}")


def _context_added(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        for context in _contexts(each.new):
            if context not in _contexts(each.old):
                yield Found(f"{each.told} is for {context} too", each.place)


def _precisions(contract: Contract, artifacts: tuple[Artifact, ...]) -> list[str]:
    return [said for each in artifacts if (said := precision_of(contract, each))]


def _quantization(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        old, new = _precisions(pair.old, each.old), _precisions(pair.new, each.new)
        if new and not set(old) <= set(new):
            message = f"{each.told}: {', '.join(old)} became {', '.join(new)}"
            yield Found(message, each.place)


def _precision_added(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        old, new = _precisions(pair.old, each.old), _precisions(pair.new, each.new)
        more = [word for word in new if word not in old]
        if old and more and set(old) <= set(new):
            yield Found(f"{each.told} is offered in {', '.join(more)} too", each.place)


def _preferred(pair: Pair) -> Iterator[Found]:
    for each in variants(pair):
        for context in _contexts(each.old.artifacts):
            old, new = (_chosen(variant, context) for variant in (each.old, each.new))
            if old and new and old != new and old in _by_format(each.new):
                message = (
                    f"for {context}, variant `{each.new.name}` was taken as {old}, now as {new}"
                )
                yield Found(message, f"{each.place}.artifacts")


def _chosen(variant: Variant, context: str) -> str | None:
    """The format that a caller gets who names none."""
    found = negotiated(variant, Dependency("*", context=context), carries_code)
    return found.format if found else None


def severity(contract: Contract, artifacts: tuple[Artifact, ...]) -> Severity:
    """The weight of what the safest of `artifacts` runs when it is loaded."""
    weights: list[Severity] = []
    for artifact in artifacts:
        facts = [contract.facts[path] for path in artifact.files if path in contract.facts]
        weights.append(max((each.severity for each in facts), key=SEVERITIES.index, default="note"))
    return min(weights, key=SEVERITIES.index, default="note")


def _unsafe(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        old, new = severity(pair.old, each.old), severity(pair.new, each.new)
        if SEVERITIES.index(new) > SEVERITIES.index(old):
            risks = _risks(pair.new, each.new)
            message = f"{each.told} now asks for consent: {', '.join(risks)}"
            yield Found(message, each.place, "an installation without consent to code")


def _risks(contract: Contract, artifacts: tuple[Artifact, ...]) -> list[str]:
    paths = [path for artifact in artifacts for path in artifact.files if path in contract.facts]
    found = [
        risk.detail
        for path in paths
        for risk in contract.facts[path].risks
        if risk.severity != "note"
    ]
    return list(dict.fromkeys(found))[:3]


def _safe(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        if severity(pair.old, each.old) != "note" == severity(pair.new, each.new):
            yield Found(f"{each.told} runs no code any more", each.place)


LINTS: tuple[Lint, ...] = (
    Lint(
        "format-removed", "major",
        "A variant is not offered in a format any more. Whoever loads that format gets nothing.",
        _removed, None, "Load another format, or convert.",
    ),
    Lint("format-added", "minor", "A variant is offered in a further format.", _added),
    Lint(
        "context-removed", "major",
        "A format of a variant is not meant for a usage context any more (a browser, a device).",
        _context_removed, None, "Use another format in that context.",
    ),
    Lint(
        "context-added", "minor", "A format of a variant is meant for a further usage context.",
        _context_added,
    ),
    Lint(
        "quantization-changed", "minor",
        "A format of a variant has another precision, or one less. Answers differ a little, size and "
        "speed a lot; the signature holds, and nobody can ask for a precision by name.",
        _quantization, "tensors", "Compare answers, size and speed.",
    ),
    Lint(
        "precision-added", "minor", "A format of a variant is offered in a further precision.",
        _precision_added,
    ),
    Lint(
        "preferred-format-changed", "minor",
        "Whoever names no format gets another one; the old one is still there. Both are the same "
        "variant with the same signatures.",
        _preferred, None, "Name the format.",
    ),
    Lint(
        "format-became-unsafe", "major",
        "Loading a format of a variant runs code where it did not, or code of a worse kind. Whoever "
        "gave no consent cannot install it any more.",
        _unsafe, "code", "Review the code, or load a format that runs none.",
    ),
    Lint(
        "format-became-safe", "patch",
        "Loading a format of a variant runs no code any more: no consent is needed.",
        _safe, "code",
    ),
)  # fmt: skip
