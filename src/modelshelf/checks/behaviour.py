"""Whether a variant behaves as before: its weights, and its golden cases where those moved.

Nothing is run. Two golden sets are compared as files: with equal inputs, outputs within the
older case's tolerance mean that behaviour is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelshelf.checks.contract import Array, Contract, Example
from modelshelf.checks.diff import Pair
from modelshelf.checks.matched import Variants, by_kind, model_files
from modelshelf.formats import Facts
from modelshelf.formats.arrays import difference
from modelshelf.package.record import Artifact, Golden, golden_of

Outcome = Literal["same", "drift", "unknown"]
"""Outputs within tolerance; beyond it; or nobody can tell."""
BARE_FORMATS = ("safetensors",)
"""Formats in which names, dtypes, shapes and bytes of the tensors, in their order, are all there is.

A pickle of PyTorch's also says which bytes belong to which name and how they are strided, an array
of NumPy's in which order its axes are stored.
"""


class Compared(NamedTuple):
    """A golden case of the old release beside the new one's; `detail` says what was seen."""

    place: str
    case: Golden
    outcome: Outcome
    detail: str


def compared(pair: Pair, case: Golden) -> Compared:
    """The old `case` beside the new one of the same name."""
    cases = {each.name: (number, each) for number, each in enumerate(pair.new.record.golden)}
    if case.name not in cases:
        return Compared("golden", case, "unknown", "it is gone")
    number, after = cases[case.name]
    place = f"golden[{number}]"
    old, new = pair.old.golden.get(case.name), pair.new.golden.get(case.name)
    if not _same_inputs(pair, case, after, old, new):
        return Compared(place, case, "unknown", "it has other inputs now")
    if _same_file(pair, case.outputs, after.outputs):
        return Compared(place, case, "same", "the outputs are the same")
    if old is None or new is None:
        return Compared(place, case, "unknown", "its arrays are too large to be compared")
    outcome, detail = _outputs(case, old, new)
    return Compared(place, case, outcome, detail)


def outcome(pair: Pair, variant: Variants) -> Outcome:
    """What the golden cases of the old release show of a variant; without any, unknown."""
    return _verdict(pair, variant, golden_of(pair.old.record, variant.old))


def shown(pair: Pair, variant: Variants, signature: str, output: str) -> Outcome:
    """What the golden cases show of one output; unknown where none has it."""
    cases = []
    for case in golden_of(pair.old.record, variant.old):
        example = pair.old.golden.get(case.name)
        if _name(pair.old, case) == signature and (example is None or output in example.outputs):
            cases.append(case)
    return _verdict(pair, variant, cases)


def _verdict(pair: Pair, variant: Variants, cases: Iterable[Golden]) -> Outcome:
    names = {case.name for case in golden_of(pair.new.record, variant.new)}
    seen: set[Outcome] = {
        compared(pair, case).outcome if case.name in names else "unknown" for case in cases
    }
    if "drift" in seen:
        return "drift"
    return "same" if seen == {"same"} else "unknown"


def moved(pair: Pair, variant: Variants) -> tuple[str, ...]:
    """The artifacts of a variant that compute with other bytes than before, in words."""
    before, after = by_kind(pair.old, variant.old), by_kind(pair.new, variant.new)
    found = []
    for (format_name, precision), artifacts in before.items():
        kept = after.get((format_name, precision), ())
        others = [each for (name, _), each in after.items() if name == format_name]
        if not others:
            continue  # the format is gone: another lint
        if kept:
            if not _same_artifacts(pair, artifacts, kept):
                found.append(f"{format_name}, {precision}" if precision else format_name)
        elif not any((format_name, p) in after for (name, p) in before if name == format_name):
            found.append(f"{format_name}, {precision or 'precision not said'} before")
    return tuple(found)


def identity(contract: Contract, artifact: Artifact) -> tuple[object, ...]:
    """What an artifact computes with.

    Where a file holds nothing but tensors, their names and bytes; where it also holds a graph,
    settings or code, all of it: nobody can tell here whether a byte outside the tensors changes
    the answer.
    """
    found: list[object] = []
    for path in model_files(contract, artifact):
        held, facts = contract.files.get(path), contract.facts.get(path)
        if held is None:
            found.append(None)
        elif facts is None:  # a file of tensors beside a graph, or one that no reader knows
            found.append(held.weights)
        else:
            found.append((held.weights, facts.tensors) if _bare(facts) else held.sha256)
    return tuple(found)


def _bare(facts: Facts) -> bool:
    """Whether a file holds tensors by name and nothing that computes with them."""
    return facts.format in BARE_FORMATS and not facts.unsafe


def _same_artifacts(pair: Pair, old: tuple[Artifact, ...], new: tuple[Artifact, ...]) -> bool:
    """Whether each old artifact is still there; another one beside them moves nothing."""
    left = [identity(pair.new, artifact) for artifact in new]
    for artifact in old:
        if identity(pair.old, artifact) not in left:
            return False
        left.remove(identity(pair.old, artifact))
    return True


def _same_file(pair: Pair, old: str, new: str) -> bool:
    before, after = pair.old.files.get(old), pair.new.files.get(new)
    return before is not None and after is not None and before.sha256 == after.sha256


def _same_inputs(
    pair: Pair, before: Golden, after: Golden, old: Example | None, new: Example | None
) -> bool:
    if _name(pair.old, before) != _name(pair.new, after):
        return False
    same_bytes = _same_file(pair, before.inputs, after.inputs)
    return same_bytes or (old is not None and new is not None and old.inputs == new.inputs)


def _name(contract: Contract, case: Golden) -> str | None:
    """The signature that a case calls."""
    return case.signature or next(iter(contract.record.signatures), None)


def _outputs(case: Golden, old: Example, new: Example) -> tuple[Outcome, str]:
    gone = [name for name in old.outputs if name not in new.outputs]
    if gone:
        return "unknown", f"there is no output `{gone[0]}` any more"
    found = [
        (name, _difference(case, before, new.outputs[name])) for name, before in old.outputs.items()
    ]
    broken = [name for name, worst in found if worst is None]
    if broken:
        return "unknown", f"`{broken[0]}` cannot be compared"
    name, (beyond, worst) = max(
        ((name, worst) for name, worst in found if worst is not None),
        key=lambda each: (each[1][0], each[1][1]),
        default=("", (0.0, 0.0)),
    )
    told = f"the worst difference, in `{name}`, is {worst:.3g}"
    return ("drift" if beyond > 0 else "same"), told


def _difference(case: Golden, old: Array, new: Array) -> tuple[float, float] | None:
    """How far beyond tolerance (0: within), and the worst difference; None for broken arrays."""
    before, after = _values(old), _values(new)
    if before is None or after is None:
        return None
    apart = difference(before, after, absolute=case.absolute, relative=case.relative)
    return apart.beyond, apart.worst


def _values(array: Array) -> NDArray[Any] | None:
    try:
        kind = np.dtype(array.dtype).newbyteorder("<")
        return np.frombuffer(array.data, kind).reshape(array.shape)
    except (TypeError, ValueError):
        return None


def drifted(pair: Pair) -> Iterator[Compared]:
    """The golden cases whose outputs lie beyond their old tolerance."""
    for case in pair.old.record.golden:
        found = compared(pair, case)
        if found.outcome == "drift":
            yield found
