"""Lints of entrypoints: whether old calls of a package's Python callables still build a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelshelf.checks.behaviour import outcome
from modelshelf.checks.diff import Found, Lint, Pair
from modelshelf.checks.matched import digests, entrypoints, source_files, variants
from modelshelf.package.record import Entrypoint, Parameter

PYTHON_SUFFIX = ".py"


class Entry(NamedTuple):
    """An entrypoint of both releases."""

    name: str
    old: Entrypoint
    new: Entrypoint

    @property
    def place(self) -> str:
        """Where it stands in the record."""
        return f"entrypoints.{self.name}"


def _both(pair: Pair) -> Iterator[Entry]:
    after = entrypoints(pair.new)
    for name, old in entrypoints(pair.old).items():
        if name in after:
            yield Entry(name, old, after[name])


def _named(entry: Entrypoint) -> dict[str, Parameter]:
    """Its parameters but `*rest` and `**options`."""
    return {each.name: each for each in entry.parameters if not each.name.startswith("*")}


def _takes(entry: Entrypoint, stars: str) -> bool:
    return any(
        each.name.startswith(stars) and each.name[len(stars) : len(stars) + 1] != "*"
        for each in entry.parameters
    )


def _by_place(entry: Entrypoint) -> list[str]:
    """The parameters that can be given by place: after a star, or required after a default, none can."""
    found: list[Parameter] = []
    for each in entry.parameters:
        late = each.default is None and any(other.default is not None for other in found)
        if each.name.startswith("*") or late:
            break
        found.append(each)
    return [each.name for each in found]


def _call(name: str, entry: Entrypoint, **given: str) -> str:
    """A call that `entry` accepts: what is required, and what is `given`."""
    values = {each.name: "..." for each in _named(entry).values() if each.default is None} | given
    return f"{name}({', '.join(f'{key}={value}' for key, value in values.items())})"


def _removed(pair: Pair) -> Iterator[Found]:
    after = entrypoints(pair.new)
    for name, old in entrypoints(pair.old).items():
        if name not in after:
            yield Found(f"the entrypoint `{name}` is gone", f"entrypoints.{name}", _call(name, old))


def _added(pair: Pair) -> Iterator[Found]:
    before = entrypoints(pair.old)
    for name in entrypoints(pair.new):
        if name not in before:
            yield Found(f"there is another entrypoint, `{name}`", f"entrypoints.{name}")


def _parameter_removed(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        for name, parameter in _named(each.old).items():
            if name not in _named(each.new) and not _takes(each.new, "**"):
                witness = _call(each.name, each.old, **{name: parameter.default or "..."})
                message = f"`{each.name}` has no parameter `{name}` any more"
                yield Found(message, each.place, witness)
        for stars in ("*", "**"):
            if _takes(each.old, stars) and not _takes(each.new, stars):
                yield Found(f"`{each.name}` takes no {stars} arguments any more", each.place)


def _fresh(each: Entry) -> Iterator[Parameter]:
    """Parameters that the new release has and the old one had not."""
    for name, parameter in _named(each.new).items():
        if name not in _named(each.old):
            yield parameter


def _required_added(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        for parameter in _fresh(each):
            if parameter.default is None:
                message = f"`{each.name}` needs a parameter `{parameter.name}` now"
                yield Found(message, each.place, _call(each.name, each.old))


def _parameter_added(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        for parameter in _fresh(each):
            if parameter.default is not None:
                message = f"`{each.name}` has a further parameter, `{parameter.name}`"
                yield Found(message, each.place)


def _moved(pair: Pair) -> Iterator[Found]:
    for each in _both(pair):
        before, after = _by_place(each.old), _by_place(each.new)
        kept = [name for name in before if name in _named(each.new)]
        if after[: len(kept)] != kept:
            message = f"`{each.name}`: places were ({', '.join(before)}), now ({', '.join(after)})"
            yield Found(message, each.place, f"{each.name}({', '.join('...' for _ in kept)})")


def _shared(
    pair: Pair, differs: Callable[[Parameter, Parameter], bool]
) -> Iterator[tuple[Entry, Parameter, Parameter]]:
    for each in _both(pair):
        after = _named(each.new)
        for name, old in _named(each.old).items():
            if name in after and differs(old, after[name]):
                yield each, old, after[name]


def _default_changed(pair: Pair) -> Iterator[Found]:
    def differs(old: Parameter, new: Parameter) -> bool:
        return None not in (old.default, new.default) and old.default != new.default

    for each, old, new in _shared(pair, differs):
        message = (
            f"`{each.name}`: the default of `{old.name}` was {old.default} and is {new.default}"
        )
        yield Found(message, each.place, _call(each.name, each.old))


def _became_required(pair: Pair) -> Iterator[Found]:
    for each, old, _ in _shared(
        pair, lambda old, new: old.default is not None and new.default is None
    ):
        message = f"`{each.name}`: `{old.name}` must be given now, it was {old.default} by default"
        yield Found(message, each.place, _call(each.name, each.old))


def _became_optional(pair: Pair) -> Iterator[Found]:
    for each, old, new in _shared(
        pair, lambda old, new: old.default is None and new.default is not None
    ):
        message = f"`{each.name}`: `{old.name}` need not be given, it is {new.default} by default"
        yield Found(message, each.place)


def _type_changed(pair: Pair) -> Iterator[Found]:
    for each, old, new in _shared(pair, lambda old, new: old.type != new.type):
        message = f"`{each.name}`: `{old.name}` was {old.type or 'of no type'} and is {new.type or 'of no type'}"
        yield Found(message, each.place)


def _model_sources(pair: Pair) -> dict[str, str]:
    """Python files that build a variant and changed while no golden case holds → its place."""
    found: dict[str, str] = {}
    for variant in variants(pair):
        if outcome(pair, variant) == "same":
            continue
        paths = {path for artifact in variant.old.artifacts for path in source_files(artifact)}
        for path in sorted(paths):
            if _differs(pair, path):
                found.setdefault(path, f"{variant.place}.artifacts")
    return found


def _differs(pair: Pair, path: str) -> bool:
    return digests(pair.old, (path,)) != digests(pair.new, (path,))


def _model_code(pair: Pair) -> Iterator[Found]:
    for path, place in _model_sources(pair).items():
        yield Found(f"`{path}`, which builds a model, changed; no golden case shows what that does", place)  # fmt: skip


def _code(pair: Pair) -> Iterator[Found]:
    told = _model_sources(pair)
    script = {each.record.training.script for each in pair if each.record.training}
    sources = [
        path
        for path in dict.fromkeys((*pair.old.files, *pair.new.files))
        if path.endswith(PYTHON_SUFFIX) and path not in told and path not in script
    ]
    for path in sources:
        if _differs(pair, path):
            yield Found(f"`{path}` changed", "package.include")


LINTS: tuple[Lint, ...] = (
    Lint(
        "entrypoint-removed", "major", "A callable is gone. Whoever calls it by name gets an error.",
        _removed, "code", "Call another entrypoint.",
    ),
    Lint(
        "entrypoint-added", "minor", "There is another callable. Old calls are untouched.",
        _added, "code",
    ),
    Lint(
        "entrypoint-parameter-removed", "major",
        "A callable takes a parameter no more. Calls that give it fail.",
        _parameter_removed, "code", "Leave the parameter out.",
    ),
    Lint(
        "entrypoint-parameter-required-added", "major",
        "A callable needs a further parameter. Old calls lack it.",
        _required_added, "code", "Give the parameter.",
    ),
    Lint(
        "entrypoint-parameter-added", "minor",
        "A callable has a further parameter with a default. Old calls are untouched.",
        _parameter_added, "code",
    ),
    Lint(
        "entrypoint-parameter-moved", "major",
        "Parameters have other places. A call by place gives its values to the wrong ones.",
        _moved, "code", "Give parameters by name.",
    ),
    Lint(
        "entrypoint-default-changed", "major",
        "A call that leaves the parameter out builds another model than before, and nothing fails. "
        "That is what a caller can break by, so it is not minor.",
        _default_changed, "code", "Give the parameter's old value in each call.",
    ),
    Lint(
        "entrypoint-became-required", "major",
        "A parameter lost its default. Calls that leave it out fail.",
        _became_required, "code", "Give the parameter's old default in each call.",
    ),
    Lint(
        "entrypoint-became-optional", "minor",
        "A parameter has a default now. Old calls are untouched.",
        _became_optional, "code",
    ),
    Lint(
        "entrypoint-type-changed", "minor",
        "A parameter's annotation differs. Python enforces none, and better annotations of the same "
        "function are common, so the text alone is not called a break.",
        _type_changed, "code", "Look at what the parameter takes now.",
    ),
    Lint(
        "model-code-changed", "minor",
        "Python source that builds a variant changed, and no golden case shows what that does to the "
        "answers.",
        _model_code, "code", "Try the new release on your own data first.",
    ),
    Lint(
        "code-changed", "patch",
        "Python source changed that builds no variant, or whose variants give their golden outputs as "
        "before. Entrypoints have lints of their own.",
        _code, "code",
    ),
)  # fmt: skip
