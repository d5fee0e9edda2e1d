"""Lints of signatures: whether the new ones accept what the old ones accepted, and promise as much."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import artifacts, same_signatures, ways
from modelshelf.formats import Facts
from modelshelf.package.entry import Level
from modelshelf.package.record import Artifact
from modelshelf.package.signature import disagreement
from modelshelf.package.subtype import additions, breaks, call

COMPARISON_COUNT = 10_000
"""Pairs of signatures looked at to see which of the declared ones a file has."""


def _removed(pair: Pair) -> Iterator[Found]:
    for way in ways(pair):
        for name, old in way.old.items():
            if name not in way.new:
                witness = f'model({call(old, {})}, signature="{name}")'
                yield Found(f"the signature `{name}` is gone", f"{way.place}.{name}", witness)
    yield from _left(pair)


def _left(pair: Pair) -> Iterator[Found]:
    """Declared signatures that a file of a variant carried and carries no more."""
    for each in artifacts(pair):
        had, has = _carried(pair.old, each.old), _carried(pair.new, each.new)
        for name in sorted((had - has) & pair.new.record.signatures.keys()):
            if has:
                message = f"{each} is not called by the signature `{name}` any more"
                yield Found(message, each.place)


def _carried(contract: Contract, offered: tuple[Artifact, ...]) -> set[str]:
    """The declared signatures that files of `offered` have themselves."""
    read = [one for facts in _facts(contract, offered) for one in facts.signatures.values()]
    declared = contract.record.signatures
    if len(read) * len(declared) > COMPARISON_COUNT:
        return set()
    return {
        name
        for name, said in declared.items()
        if any(not disagreement(said, each) for each in read)
    }


def _facts(contract: Contract, offered: tuple[Artifact, ...]) -> list[Facts]:
    firsts = (contract.facts.get(artifact.first) for artifact in offered)
    return [facts for facts in firsts if facts]


def _added(pair: Pair) -> Iterator[Found]:
    for way in ways(pair):
        for name in way.new:
            if name not in way.old:
                yield Found(f"there is another signature, `{name}`", f"{way.place}.{name}")


def _default(pair: Pair) -> Iterator[Found]:
    for way in ways(pair):
        before, after = next(iter(way.old), None), next(iter(way.new), None)
        if before is not None and before in way.new and before != after:
            message = f"without a name `{before}` was called, now it is `{after}`"
            yield Found(message, way.place, f"model({call(way.old[before], {})})")


def _tensor(rule: str, pair: Pair) -> Iterator[Found]:
    """What `package.subtype` finds under this rule."""
    yield from pair.once(_by_rule, lambda: _by_rule(pair)).get(rule, [])


def _by_rule(pair: Pair) -> dict[str, list[Found]]:
    """Every difference of the tensors, by rule."""
    found: dict[str, list[Found]] = {}
    for name, place, old, new in same_signatures(pair):
        if old == new:
            continue
        for each in (*breaks(old, new), *additions(old, new)):
            message = f"signature `{name}`: {each.message}"
            one = Found(message, f"{place}.{each.place}", each.witness)
            found.setdefault(each.rule, []).append(one)
    return found


def _of_tensors(rule: str, level: Level, about: str, advice: str | None = None) -> Lint:
    return Lint(rule, level, about, partial(_tensor, rule), "tensors", advice)


LINTS: tuple[Lint, ...] = (
    Lint(
        "signature-removed", "major",
        "A signature is gone. Whoever calls it by its name gets an error.",
        _removed, "tensors", "Call another signature.",
    ),
    Lint(
        "signature-added", "minor",
        "There is another way to call the models. Old calls are untouched.",
        _added, "tensors",
    ),
    Lint(
        "default-signature-changed", "major",
        "The first signature is the one that a call without a name means. Another first one answers "
        "such calls differently, although no signature is gone.",
        _default, "tensors", "Name the signature in each call.",
    ),
    _of_tensors(
        "input-removed", "major",
        "An input is gone. A call that gives it is refused.",
        "Leave the input out.",
    ),
    _of_tensors(
        "input-required-added", "major",
        "An input must be given that was absent or optional. Old calls lack it.",
        "Give the input in each call.",
    ),
    _of_tensors(
        "input-optional-added", "minor",
        "An input can be given but need not be. Old calls are untouched.",
    ),
    _of_tensors(
        "input-dtype-changed", "major",
        "An input has another dtype. Nothing is cast, so arrays of the old dtype are refused.",
        "Convert the array to the new dtype.",
    ),
    _of_tensors(
        "input-shape-narrowed", "major",
        "An input accepts fewer shapes: a free size became fixed, bounded or tied to another one, or "
        "the number of axes differs.",
        "Give arrays of the new shape: resize, pad or split them.",
    ),
    _of_tensors(
        "input-widened", "minor",
        "An input accepts more than before: a fixed size became free, or it need not be given.",
    ),
    _of_tensors(
        "output-removed", "major",
        "An output is gone or may be absent. Whoever reads it finds nothing.",
        "Do not read the output, or compute it yourself.",
    ),
    _of_tensors(
        "output-added", "minor",
        "There is another output. Whoever reads outputs by name is untouched.",
    ),
    _of_tensors(
        "output-dtype-changed", "major",
        "An output has another dtype. What reads it may overflow, round or fail.",
        "Convert the output, or read the new dtype.",
    ),
    _of_tensors(
        "output-shape-changed", "major",
        "An output's shape is not within what was promised: another size, another number of axes, or "
        "a size that is free now.",
        "Read the new shape.",
    ),
    _of_tensors(
        "layout-changed", "major",
        "The axes of a tensor stand in another order. A transposed image is accepted where sizes are "
        "free, and gives nonsense.",
        "Transpose the array.",
    ),
    _of_tensors(
        "colors-changed", "major",
        "The channels of an image stand in another order. Nothing refuses the old one; answers get worse.",
        "Reorder the channels.",
    ),
    _of_tensors(
        "range-changed", "major",
        "Values lie in another range (0 to 1, 0 to 255). Nothing refuses the old ones; answers are wrong.",
        "Scale the values.",
    ),
    _of_tensors(
        "normalisation-changed", "major",
        "Values are normalised with another mean or deviation. Nothing refuses the old ones; answers "
        "get worse.",
        "Normalise with the new mean and deviation.",
    ),
    _of_tensors(
        "sample-rate-changed", "major",
        "Sound has another sample rate. Nothing refuses the old one; it is heard too fast or too slow.",
        "Resample the sound.",
    ),
    _of_tensors(
        "meaning-changed", "major",
        "A tensor means something else: probabilities where scores were, words where sounds were.",
        "Read what the tensor means now.",
    ),
    _of_tensors(
        "meaning-stated", "minor",
        "Something is said of a tensor that was not said: its meaning, layout, range or the like. "
        "Callers gain a promise and lose none, but later releases are held to it.",
    ),
)  # fmt: skip
