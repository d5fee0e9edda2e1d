"""What install, upgrade and remove have in common: change what is wanted, plan, show, apply."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence

import msgspec

from modelshelf.cli.options import dependency, registry_of, split
from modelshelf.cli.output import Output, size
from modelshelf.client.install import (
    Change,
    Plan,
    apply,
    index_of,
    plan,
    require_same_registry,
)
from modelshelf.client.remote import newest
from modelshelf.client.resolve import Index
from modelshelf.client.shelf import Shelf
from modelshelf.errors import NotFound
from modelshelf.package.edit import drop_dependency, set_dependency
from modelshelf.package.manifest import parse_project
from modelshelf.package.vocabularies import nearest
from modelshelf.store.disk import DiskStore


def change(
    arguments: argparse.Namespace,
    output: Output,
    *,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    upgrade: Sequence[str] | None = None,
    upgrade_all: bool = False,
) -> None:
    """Add, drop or upgrade packages of the shelf here; `shelf.toml` changes only if all works."""
    shelf = Shelf.find()
    registry, settings = registry_of(arguments)
    index = index_of(registry)
    store = DiskStore(settings.store)
    with shelf.writing():
        before, text = shelf.lock(), shelf.text()
        require_same_registry(before, registry.url)
        wanted = parse_project(text).dependencies
        for each in add:
            name, version = split(each)
            known = wanted.get(name)
            version = version or (known.version if known else f"^{newest(index(name)).version}")
            text = set_dependency(text, name, dependency(arguments, version, known))
        for name in drop:
            _require(name, wanted)
            text = drop_dependency(text, name)
        moving: Collection[str] = ()
        if upgrade_all:
            moving = upgrade if upgrade is not None else [each.name for each in before.packages]
            for name in upgrade or ():
                _require(name, {each.name: each for each in before.packages})
            if arguments.major:
                text = _beyond(text, moving, index)
        planned = plan(
            parse_project(text).dependencies,
            index,
            before,
            registry=registry.url,
            has=store.has,
            fresh=[*moving, *(split(each)[0] for each in add if "@" in each)],
            consent=arguments.allow_pickle,
        )
        if not arguments.dry_run:
            with output.progress(planned.bytes_to_fetch, "fetching") as progress:
                apply(planned, text, shelf, store, registry.http, progress)
    _tell(planned, output, dry_run=arguments.dry_run)


def _require(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise NotFound(
            f"{name} is not on this shelf",
            expected=", ".join(sorted(known)) or "nothing is installed here",
            hint=nearest(name, list(known)),
        )


def _beyond(text: str, names: Collection[str], index: Index) -> str:
    """The text of `shelf.toml` with the range of each of `names` moved to its newest release."""
    wanted = parse_project(text).dependencies
    for name in sorted(set(names) & wanted.keys()):
        version = f"^{newest(index(name)).version}"
        text = set_dependency(text, name, msgspec.structs.replace(wanted[name], version=version))
    return text


def _tell(planned: Plan, output: Output, *, dry_run: bool) -> None:
    fetched = planned.bytes_to_fetch
    value = {
        "dry_run": dry_run,
        "changes": [each._asdict() for each in planned.changes],
        ("bytes_to_fetch" if dry_run else "bytes_fetched"): fetched,
    }
    lines = [_sentence(each, output) for each in planned.changes]
    if lines and fetched:
        lines.append(f"{'To fetch' if dry_run else 'Fetched'}: {size(fetched)}.")
    output.result(value, "\n".join(lines) or "Nothing to do: everything is installed.")


def _sentence(change: Change, output: Output) -> str:
    if change.before is None:
        return f"{output.paint('+', 'green')} {change.name} {change.after}"
    if change.after is None:
        return f"{output.paint('-', 'red')} {change.name} {change.before}"
    if change.before == change.after:
        return f"{output.paint('~', 'yellow')} {change.name} {change.after} (other files)"
    step = f" ({change.level})" if change.level else ""
    return f"{output.paint('~', 'yellow')} {change.name} {change.before} -> {change.after}{step}"
