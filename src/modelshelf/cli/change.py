"""What add, install and remove have in common: change what is wanted, plan, show, apply."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Sequence

import msgspec

from modelshelf.cli.bench import Bench, changing, note_mismatches, tell, usual_registry
from modelshelf.cli.options import add_choice, add_consent, dependency, split
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place, add_resolution
from modelshelf.client.install import Plan
from modelshelf.client.remote import newest
from modelshelf.errors import NotFound
from modelshelf.package.edit import drop_dependency, set_dependency
from modelshelf.package.graph import needed_by
from modelshelf.package.manifest import Project
from modelshelf.package.vocabularies import nearest


def add_options(parser: argparse.ArgumentParser) -> None:
    """What of the packages, where from, and whether in earnest."""
    add_choice(parser)
    add_consent(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_place(parser)
    add_resolution(parser)
    add_network(parser)


def change(
    arguments: argparse.Namespace,
    output: Output,
    *,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> None:
    """Add or drop packages of the shelf here; `shelf.toml` changes only if all works."""
    with changing(arguments, begin=bool(add)) as bench:
        text = bench.text
        for each in add:
            text = _added(bench, text, each)
        for name in drop:
            wanted = bench.shelf.parse(text).dependencies
            if name not in wanted and name in bench.before.requirements:
                continue  # killed after the project was written: the lock is still to follow
            require(name, wanted)
            text = drop_dependency(text, name, above=bench.shelf.above)
        fresh = tuple(split(each)[0] for each in add if "@" in each)
        planned = bench.planned(text, fresh)
        if (settled := _settled(bench, text, add, planned)) != text:
            text = settled
            planned = bench.planned(text, fresh)
        told = [bench.arriving(planned), *_staying(planned, drop)]
        moved = None
        if not arguments.dry_run:
            done = _done("add", add) or _done("remove", drop) or "sync"
            moved = bench.apply(planned, text, output, done)
    mismatches = note_mismatches(bench.shelf, planned, output) if not arguments.dry_run else []
    text = "\n".join(filter(None, told))
    tell(planned, moved, output, text=text, mismatches=mismatches)


def _staying(planned: Plan, dropped: Sequence[str]) -> Iterator[str]:
    """What is no longer asked for and stays all the same, and for whom."""
    for name in dropped:
        if found := planned.held.find(name):
            users = {each.by.name for each in needed_by(planned.held, found) if each.by}
            yield f"{name} {found.version} stays, it is needed by {', '.join(sorted(users))}"


def _done(verb: str, names: Sequence[str]) -> str:
    return f"{verb} {' '.join(names)}" if names else ""


def _added(bench: Bench, text: str, typed: str) -> str:
    """`text` with one package more; without a range, with any that is no pre-release."""
    name, version = split(typed)
    project = bench.shelf.parse(text)
    known = project.dependencies.get(name)
    if version is None or version.startswith("["):
        version = (known.version if known else _any(bench, project, name)) + (version or "")
    wanted = dependency(bench.arguments, version, known)
    url = (bench.arguments.registry or "").rstrip("/")
    if url and url not in (usual_registry(project), *project.registries):
        wanted = msgspec.structs.replace(wanted, registry=url)
    return set_dependency(text, name, wanted, above=bench.shelf.above)


def _any(bench: Bench, project: Project, name: str) -> str:
    latest = newest(bench.sources(project).index(name, None).entries).version
    return f"^{latest}" if "-" in latest else "*"


def _settled(bench: Bench, text: str, add: Sequence[str], planned: Plan) -> str:
    """`text` with the ranges that nobody typed: the releases chosen, and what may follow them."""
    wanted = bench.shelf.parse(text).dependencies
    for name in (split(each)[0] for each in add):
        chosen = planned.lock.find(name)
        typed = any(split(each)[0] == name and "@" in each for each in add)
        if wanted[name].version == "*" and chosen and not typed:
            need = msgspec.structs.replace(wanted[name], version=f"^{chosen.version}")
            text = set_dependency(text, name, need, above=bench.shelf.above)
    return text


def require(name: str, known: Collection[str]) -> None:
    """Raise NotFound with the nearest name where `name` is none of `known`."""
    if name not in known:
        raise NotFound(
            f"{name} is not on this shelf",
            expected=", ".join(sorted(known)) or "nothing is installed here",
            hint=nearest(name, list(known)),
        )
