"""Lints of dependencies on other packages of models: what runs before, after and beneath this one."""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.checks.contract import Contract
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.ranges import further, lost
from modelshelf.package.record import Dependency, DependencyKind

STAGES: tuple[DependencyKind, ...] = ("preprocess", "pipeline")
"""Kinds whose model is part of what a caller runs."""


def _of(contract: Contract, *kinds: DependencyKind) -> dict[str, Dependency]:
    return {name: each for name, each in contract.record.dependencies.items() if each.kind in kinds}


def _base(pair: Pair) -> Iterator[Found]:
    before, after = _of(pair.old, "base"), _of(pair.new, "base")
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            message = f"{name} was the base, now it is {', '.join(after) or 'not told'}"
            yield Found(message, "dependencies")
        elif old.variants != new.variants or further(old.version, new.version):
            message = f"the base {name} was {_told(old)} and is {_told(new)}"
            yield Found(message, f"dependencies.{name}")
    for name in after:
        if before and name not in before and before.keys() <= after.keys():
            yield Found(f"{name} is a further base", f"dependencies.{name}")


def _pipeline(pair: Pair) -> Iterator[Found]:
    before, after = _of(pair.old, *STAGES), _of(pair.new, *STAGES)
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield Found(f"{old.kind} by {name} is gone", "dependencies")
            continue
        why = _other_stage(old, new)
        if why is not None:
            message = f"{old.kind} by {name}: {why}"
            yield Found(message, f"dependencies.{name}")
    for name, new in after.items():
        if name not in before:
            yield Found(f"{new.kind} by {name} is needed now", f"dependencies.{name}")


def _other_stage(old: Dependency, new: Dependency) -> str | None:
    """Why another model may run at this stage."""
    for field in ("kind", "variants", "signature", "connect", "registry"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            return f"{field} was {before or 'not told'} and is {after or 'not told'}"
    version = further(old.version, new.version)
    return f"{old.version} became {new.version}, which admits {version}" if version else None


def _added(pair: Pair) -> Iterator[Found]:
    for name, new in _of(pair.new, "runtime").items():
        if name not in pair.old.record.dependencies:
            yield Found(f"needs {name} {new.version} too", f"dependencies.{name}")


def _removed(pair: Pair) -> Iterator[Found]:
    for name in _of(pair.old, "runtime"):
        if name not in pair.new.record.dependencies:
            yield Found(f"does not need {name} any more", "dependencies")


def _range(pair: Pair) -> Iterator[Found]:
    for name, old in _of(pair.old, "runtime", *STAGES).items():
        new = pair.new.record.dependencies.get(name)
        if new is None or (old.kind in STAGES and _other_stage(old, new)):
            continue  # another lint tells
        version = lost(old.version, new.version)
        other = old.kind == "runtime" and _told(old) != _told(new) and old.version == new.version
        if version is not None or other:
            witness = f"{name} {version}" if version else None
            message = f"{name}: {_told(old)} became {_told(new)}"
            yield Found(message, f"dependencies.{name}", witness)


def _wider(pair: Pair) -> Iterator[Found]:
    for name, old in _of(pair.old, "runtime", *STAGES).items():
        new = pair.new.record.dependencies.get(name)
        if new and lost(old.version, new.version) is None and lost(new.version, old.version):
            yield Found(f"{name}: {old.version} became {new.version}", f"dependencies.{name}")


def _told(wanted: Dependency) -> str:
    """Version, kind, variants, format and context in words."""
    more = [wanted.kind, *wanted.variants, wanted.format, wanted.context, wanted.registry]
    return f"{wanted.version} ({', '.join(word for word in more if word)})"


LINTS: tuple[Lint, ...] = (
    Lint(
        "base-model-changed", "minor",
        "The weights were derived from another model. The contract holds; what the models know, and "
        "what they inherited, differs.",
        _base, "tensors",
    ),
    Lint(
        "pipeline-changed", "major",
        "Another model runs before or after this one, or none, or one whose callers may break. What "
        "goes in at the front and comes out at the end is decided there.",
        _pipeline, "code", "Look at the signatures of both ends of the pipeline.",
    ),
    Lint(
        "dependency-added", "minor",
        "Another package of models must be there. Installing brings it; no call fails for that.",
        _added, "code",
    ),
    Lint(
        "dependency-removed", "patch", "A package of models is not needed any more.",
        _removed, "code",
    ),
    Lint(
        "dependency-range-changed", "minor",
        "A package that this one needs is asked for in other versions, variants or formats. The solver "
        "finds them, or says which requirement of yours stands against them.",
        _range, "code",
    ),
    Lint(
        "dependency-range-widened", "patch", "More versions of a needed package are good enough.",
        _wider, "code",
    ),
)  # fmt: skip
