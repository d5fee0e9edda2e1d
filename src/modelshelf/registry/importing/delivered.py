"""What was delivered for a release: files of models, and the record that names them.

The described artifacts are filled by format; those of which nothing was delivered are left out, as a
release that can be installed offers what it has.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from modelshelf import formats
from modelshelf.errors import FormatError, Invalid
from modelshelf.formats import Facts
from modelshelf.package.path import unsafe_path
from modelshelf.package.record import Artifact, Entrypoint, Record, Variant, default_variant
from modelshelf.package.signature import Signature
from modelshelf.package.vocabularies import vocabulary

MOST_FILES = 10_000


class Delivery(NamedTuple):
    """A file, or a folder of files; `below` is where they lie in the release.

    `variant` is the one that they are of, where that is known; `apart` are folders in it that are
    deliveries of their own.
    """

    root: Path
    below: str = ""
    variant: str | None = None
    apart: tuple[Path, ...] = ()


class Model(NamedTuple):
    """A model among the files: the one that carries its format, and what it says."""

    path: str
    facts: Facts
    files: tuple[str, ...]
    variant: str | None


class Filled(NamedTuple):
    """A record with files, and where each of them lies, by its path in the release."""

    record: Record
    files: dict[str, Path]


def filled(record: Record, deliveries: Sequence[Delivery]) -> Filled:
    """The record with the delivered files. Raises Invalid, FormatError where it cannot have them."""
    places: dict[str, Path] = {}
    models: list[Model] = []
    for delivery in deliveries:
        own = dict(_files(delivery))
        if clash := own.keys() & places.keys():
            raise Invalid("two deliveries have a file of one name", where=min(clash))
        places |= own
        models += _models(delivery, own)
    if not models:
        raise FormatError("the files are in no format that is known here")
    variants = _variants(record, models)
    named = {path for each in variants for a in each.artifacts for path in a.files}
    return Filled(_record(record, variants, models, sorted(places.keys() - named)), places)


def _files(delivery: Delivery) -> Iterator[tuple[str, Path]]:
    """The files by their path in the release; hidden and empty ones, and links, are passed over."""
    root = delivery.root
    listed = sorted(root.rglob("*")) if root.is_dir() else [root]
    count = 0
    for path in listed:
        if path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        if any(folder in path.parents for folder in delivery.apart) or not path.stat().st_size:
            continue
        relative = path.relative_to(root if root.is_dir() else root.parent).as_posix()
        inside = posixpath.join(delivery.below, relative)
        if wrong := unsafe_path(inside):
            raise Invalid(f"a file cannot be taken: {wrong}", where=inside[:200])
        if (count := count + 1) > MOST_FILES:
            raise Invalid("there are too many files", expected=f"at most {MOST_FILES}")
        yield inside, path


def _models(delivery: Delivery, files: Mapping[str, Path]) -> Iterator[Model]:
    """Every model of a delivery; one that is alone has all files, as its hub gives them out."""
    carriers: dict[str, Facts] = {}
    wrong: FormatError | None = None
    for path in _carriers(delivery, files):
        try:
            if formats.detect(files[path]):
                carriers[path] = formats.read(files[path])
        except FormatError as error:
            wrong = error
    if wrong and not carriers:
        raise wrong
    companions = {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), each))
        for path, facts in carriers.items()
        for each in facts.companions
    }
    own = {path: facts for path, facts in carriers.items() if path not in companions}
    for path, facts in own.items():
        beside = [
            there
            for each in facts.companions
            if (there := posixpath.normpath(posixpath.join(posixpath.dirname(path), each))) in files
        ]
        rest = [each for each in files if each != path] if len(own) == 1 else beside
        yield Model(path, facts, (path, *dict.fromkeys(rest)), delivery.variant)


def _carriers(delivery: Delivery, files: Mapping[str, Path]) -> list[str]:
    """The files that may carry a format: those that stand for folders, else all near the top."""
    named = {name for each in formats.formats().values() for name in each.carriers}
    found = [path for path in files if posixpath.basename(path) in named]
    depth = delivery.below.count("/") + (1 if delivery.below else 0)
    return found or [path for path in files if path.count("/") <= depth + 1]


def _variants(record: Record, models: Sequence[Model]) -> tuple[Variant, ...]:
    """The variants of which something was delivered, with their files."""
    artifacts: dict[str, list[Artifact]] = {each.name: [] for each in record.variants}
    left = {each.name: [*each.artifacts] for each in record.variants}
    for model in models:
        name = _variant_of(record, model)
        artifacts[name].append(_artifact(left[name], model))
    return tuple(
        msgspec.structs.replace(each, artifacts=tuple(artifacts[each.name]))
        for each in record.variants
        if artifacts[each.name]
    )


def _variant_of(record: Record, model: Model) -> str:
    names = [each.name for each in record.variants]
    if model.variant in names:
        return str(model.variant)
    if len(names) == 1:
        return names[0]
    stem = re.sub(r"[^a-z0-9]+", "-", model.path.lower())
    fitting = [name for name in names if f"-{name}-" in f"-{stem}-"]
    if fitting:
        return max(fitting, key=len)
    if any(each.default for each in record.variants):
        return default_variant(record.variants).name
    raise Invalid(
        "which variant a file belongs to cannot be told",
        where=model.path[:200],
        expected=", ".join(names[:20]),
        hint="put the variant's name into the name of the file or its folder",
    )


def _artifact(left: list[Artifact], model: Model) -> Artifact:
    """The described artifact that the model is, with its files; or one that nobody described."""
    facts = model.facts
    precision = facts.precision if facts.precision in vocabulary("precisions") else None
    same = [each for each in left if each.format == facts.format]
    if not same:
        contexts = formats.formats()[facts.format].contexts
        return Artifact(facts.format, model.files, contexts, precision)
    chosen = next((each for each in same if each.precision == precision), same[0])
    left.remove(chosen)
    return msgspec.structs.replace(
        chosen, files=model.files, precision=precision or chosen.precision
    )


def _record(
    record: Record, variants: tuple[Variant, ...], models: Sequence[Model], rest: list[str]
) -> Record:
    """What the files say goes before what the page said of the same."""
    entrypoints = _entrypoints(record, models)
    package = msgspec.structs.replace(
        record.package,
        datasets=tuple(dict.fromkeys(filter(None, map(_slug, record.package.datasets)))),
        include=tuple(path for path in rest if path != record.package.readme),
    )
    return msgspec.structs.replace(
        record,
        package=package,
        variants=tuple(
            each
            if each.entrypoint in entrypoints
            else msgspec.structs.replace(each, entrypoint=None)
            for each in variants
        ),
        signatures=_signatures(record, models),
        entrypoints=entrypoints,
    )


def _signatures(record: Record, models: Sequence[Model]) -> Mapping[str, Signature]:
    """Those of the files where all say the same; none where they differ: each file tells its own."""
    told = [
        {
            name: each
            for name, each in model.facts.signatures.items()
            if each.inputs and each.outputs
        }
        for model in models
    ]
    if not any(told):
        return record.signatures
    return told[0] if all(each == told[0] for each in told) else {}


def _entrypoints(record: Record, models: Sequence[Model]) -> dict[str, Entrypoint]:
    """Those that the delivered code defines, and what the page said of them."""
    found: dict[str, Entrypoint] = {}
    for model in models:
        for name, read in model.facts.entrypoints.items():
            said = record.entrypoints.get(name)
            found[name] = msgspec.structs.replace(
                read,
                file=model.path,
                description=read.description or (said.description if said else None),
            )
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-")
