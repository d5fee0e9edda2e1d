"""Move installed packages to the newest releases that shelf.toml allows.

--major goes beyond the range, to the newest release, and changes shelf.toml. --successor also moves
from a deprecated package to the one that its publisher names instead. With --dry-run only what that
would mean is told: whether callers may break, what moved, metrics, license, size, bytes, notes.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection

import msgspec

from modelshelf.cli.bench import Bench, changing, note_mismatches, tell
from modelshelf.cli.change import require
from modelshelf.cli.options import add_consent
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place, add_resolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.client.install import Plan
    from modelshelf.client.sources import Index
    from modelshelf.client.step import Step


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the packages, and how far."""
    parser.add_argument("packages", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--major", action="store_true", help="also to releases that may break")
    parser.add_argument(
        "--successor", action="store_true", help="also from deprecated packages to their successors"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_consent(parser)
    add_place(parser)
    add_resolution(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Forget the locked versions of what is named, then make the shelf answer what is wanted."""
    from modelshelf.cli.steps import steps_text

    with changing(arguments) as bench:
        names = sorted({each.name for each in bench.before.packages})
        for name in arguments.packages:
            require(name, names)
        moving = tuple(arguments.packages or names)
        text = bench.text
        moves: dict[str, str] = {}
        if arguments.successor:
            text, moves = _followed(bench, text, moving)
        if arguments.major:
            text = _beyond(bench, text, moving)
        planned = bench.planned(text, moving)
        steps = _steps(bench, planned, moves, text, notes=arguments.dry_run or not output.quiet)
        text_of_steps = steps_text(steps, output)
        moved = None
        if not arguments.dry_run:
            output.ahead(text_of_steps)  # before anything is fetched
            done = " ".join(["upgrade", *arguments.packages])
            moved = bench.apply(planned, text, output, done)
    mismatches = note_mismatches(bench.shelf, planned, output) if not arguments.dry_run else []
    nothing = "Nothing to do: everything is as new as shelf.toml allows."
    tell(
        planned, moved, output,
        text=text_of_steps if arguments.dry_run else "",
        told={name for each in steps for name in (each.name, each.package)},
        steps=steps, mismatches=mismatches,
        nothing="Nothing had to be fetched." if steps else nothing,
    )  # fmt: skip


def _beyond(bench: Bench, text: str, names: Collection[str]) -> str:
    """The text of `shelf.toml` with the range of each of `names` moved to its newest release."""
    from modelshelf.client.outdated import raised
    from modelshelf.package.edit import set_dependency

    project = bench.shelf.parse(text)
    moved = raised(project, {*names} & project.dependencies.keys(), bench.sources(project).index)
    for name, need in moved.dependencies.items():
        if need != project.dependencies[name]:
            text = set_dependency(text, name, need, above=bench.shelf.above)
    return text


def _followed(bench: Bench, text: str, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """The text with each deprecated package of `names` replaced, and who replaces whom."""
    from modelshelf.client.remote import newest
    from modelshelf.package.edit import drop_dependency, set_dependency

    project = bench.shelf.parse(text)
    index = bench.sources(project).index
    moves: dict[str, str] = {}
    for name in sorted({*names} & project.dependencies.keys()):
        need = project.dependencies[name]
        successor = _successor(name, need.registry, index)
        if successor is None:
            continue
        moves[name] = successor
        text = drop_dependency(text, name, above=bench.shelf.above)
        if successor in bench.shelf.parse(text).dependencies:
            continue
        latest = newest(index(successor, need.registry).entries)
        offered = {each.name for each in latest.variants}
        kept = need.variants if offered.issuperset({*need.variants} - {"*"}) else ()
        moved = msgspec.structs.replace(need, version=f"^{latest.version}", variants=kept)
        text = set_dependency(text, successor, moved, above=bench.shelf.above)
    return text, moves


def _successor(name: str, registry: str | None, index: Index) -> str | None:
    """The last one in the chain of those that replace `name`; None for none, and for a circle."""
    from modelshelf.client.remote import newest

    seen = [name]
    while (following := newest(index(seen[-1], registry).entries).successor) is not None:
        if following in seen:
            return None
        seen.append(following)
    return seen[-1] if len(seen) > 1 else None


def _steps(
    bench: Bench, planned: Plan, moves: dict[str, str], text: str, *, notes: bool
) -> list[Step]:
    """What each package that moves means, with the publisher's words where they are wanted."""
    from modelshelf.client import step

    if planned.environment not in bench.before.names:
        return []
    sources = bench.sources(bench.shelf.parse(text))
    found = []
    for old in bench.before.of(planned.environment).packages:
        new = planned.held.find(
            moves.get(old.name, old.name), moves.get(old.isolated, old.isolated)
        )
        if new is None or (new.name, new.version) == (old.name, old.version):
            continue
        offers = [sources.index(name, None) for name in dict.fromkeys((old.name, new.name))]
        entries = [entry for offer in offers for entry in offer.entries]
        size = sum(each.moved for each in planned.fetch.get((new.name, new.isolated), ()))
        made = step.step(old, new, entries, size)
        told = step.notes(sources.registry(new.registry), entries, made) if notes else ()
        found.append(msgspec.structs.replace(made, notes=told))
    return found
