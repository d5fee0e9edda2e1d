"""Lints of parameters: their names, shapes and dtypes, for packages that others build on."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import Artifacts, artifacts
from modelshelf.formats import Facts
from modelshelf.formats.facts import TensorInfo
from modelshelf.package.record import Artifact

Tensors = dict[str, TensorInfo]


def _facts(contract: Contract, offered: tuple[Artifact, ...]) -> list[Facts]:
    """What the files of `offered` say, each once."""
    paths = dict.fromkeys(path for artifact in offered for path in artifact.files)
    return [contract.facts[path] for path in paths if path in contract.facts]


def _tensors(pair: Pair) -> Iterator[tuple[Artifacts, Tensors, Tensors]]:
    """The stored tensors of each artifact, by name, where the old release is a backbone."""
    if not pair.old.record.package.backbone:
        return
    for each in artifacts(pair):
        old, new = (
            {tensor.name: tensor for facts in _facts(contract, offered) for tensor in facts.tensors}
            for contract, offered in ((pair.old, each.old), (pair.new, each.new))
        )
        yield each, old, new


def _told(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _renamed(pair: Pair) -> Iterator[Found]:
    for each, old, new in _tensors(pair):
        gone = [name for name in old if name not in new]
        if gone:
            yield Found(f"{each}: no tensor {_told(gone)} any more", each.place, f"parameters[{gone[0]!r}]")  # fmt: skip


def _reshaped(pair: Pair) -> Iterator[Found]:
    for each, old, new in _tensors(pair):
        found = [name for name in old if name in new and old[name].shape != new[name].shape]
        if found:
            first = found[0]
            witness = f"{first}: {list(old[first].shape)} became {list(new[first].shape)}"
            yield Found(f"{each}: another shape of {_told(found)}", each.place, witness)


def _retyped(pair: Pair) -> Iterator[Found]:
    for each, old, new in _tensors(pair):
        found = [name for name in old if name in new and old[name].dtype != new[name].dtype]
        if found:
            first = found[0]
            witness = f"{first}: {old[first].dtype} became {new[first].dtype}"
            yield Found(f"{each}: another dtype of {_told(found)}", each.place, witness)


def _added(pair: Pair) -> Iterator[Found]:
    for each, old, new in _tensors(pair):
        more = [name for name in new if name not in old]
        if more:
            yield Found(f"{each}: further tensors, {_told(more)}", each.place)


def _withdrawn(pair: Pair) -> Iterator[Found]:
    if pair.old.record.package.backbone and not pair.new.record.package.backbone:
        yield Found("it does not declare itself a backbone any more", "package.backbone")


def _declared(pair: Pair) -> Iterator[Found]:
    if pair.new.record.package.backbone and not pair.old.record.package.backbone:
        yield Found("it declares itself a backbone", "package.backbone")


def _count(pair: Pair) -> Iterator[Found]:
    for each in artifacts(pair):
        old, new = (
            sum(facts.parameters or 0 for facts in _facts(contract, offered))
            for contract, offered in ((pair.old, each.old), (pair.new, each.new))
        )
        if old and new and old != new:
            yield Found(f"{each}: {old} parameters became {new}", each.place)


LINTS: tuple[Lint, ...] = (
    Lint(
        "tensor-name-changed", "major",
        "A backbone has a tensor no more, or under another name. Whoever builds on its parameters by "
        "name finds nothing.",
        _renamed, "tensors", "Map the new names.",
    ),
    Lint(
        "parameters-shape-changed", "major",
        "A tensor of a backbone has another shape. Layers built on it do not fit.",
        _reshaped, "tensors", "Build the layers that touch it anew.",
    ),
    Lint(
        "tensor-dtype-changed", "minor",
        "A tensor of a backbone has another dtype. Frameworks convert when they fill a layer.",
        _retyped, "tensors", "Convert where you read the tensors yourself.",
    ),
    Lint(
        "tensor-added", "minor",
        "A backbone has further tensors. All old names are still there; only a strict loader that "
        "wants no others must be told.",
        _added, "tensors", "Load without strictness, or take the old names only.",
    ),
    Lint(
        "backbone-withdrawn", "major",
        "The package promised that names and shapes of its parameters hold, and does not any more.",
        _withdrawn, "tensors", "Build on a package that declares itself a backbone.",
    ),
    Lint(
        "backbone-declared", "minor",
        "From now on names and shapes of the parameters are part of the contract.",
        _declared, "tensors",
    ),
    Lint(
        "parameter-count-changed", "patch",
        "An artifact has more or fewer parameters. Callers do not see them; what that does to "
        "answers, size and speed other lints tell.",
        _count, "tensors",
    ),
)  # fmt: skip
