"""Keep a release in the store whatever shelf gc does, for a store that a team shares.

All its files are fetched. --list shows what is kept, --drop lets it go.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_limit_rate, add_registry, registry_of, release
from modelshelf.cli.output import Output, size, size_of
from modelshelf.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: what to keep, or to let go."""
    parser.add_argument(
        "release", nargs="?", metavar="NAME[@VERSION]", help="default version: the newest"
    )
    parser.add_argument("--list", action="store_true", help="show what is kept")
    parser.add_argument("--drop", metavar="NAME[@VERSION]", help="default version: all")
    add_registry(parser)
    add_limit_rate(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Do the one thing that was asked for."""
    asked = [arguments.release is not None, arguments.list, arguments.drop is not None]
    if sum(asked) != 1:
        raise UsageError("tell one thing", expected="NAME[@VERSION], --list or --drop")
    if arguments.list:
        _list(output)
    elif arguments.drop is not None:
        _drop(arguments.drop, output)
    else:
        _pin(arguments, output)


def _pin(arguments: argparse.Namespace, output: Output) -> None:
    from modelshelf.client.pin import pin

    name, version = release(arguments.release)
    registry, _ = registry_of(arguments)
    kept, moved = pin(registry, name, version, lambda total: output.progress(total, "fetching"))
    value = {"name": kept.name, "version": kept.version, "bytes_fetched": moved.wire}
    output.result(
        value, f"{kept.name} {kept.version} is kept. Fetched: {size_of(moved.wire, moved.raw)}."
    )


def _list(output: Output) -> None:
    from modelshelf.client.pins import pinned
    from modelshelf.client.settings import settings

    found = [each for lock in pinned(settings().home).values() for each in lock.packages]
    files = [sum(file.size for file in each.installed_files()) for each in found]
    values = [
        {"name": each.name, "version": each.version, "registry": each.registry, "bytes": count}
        for each, count in zip(found, files, strict=True)
    ]
    rows = [
        (each.name, each.version, size(count), each.registry)
        for each, count in zip(found, files, strict=True)
    ]
    text = output.table(("name", "version", "size", "registry"), rows)
    output.result({"pins": values}, text or "Nothing is pinned here.")


def _drop(which: str, output: Output) -> None:
    from modelshelf.client.move import quiet
    from modelshelf.client.pins import drop

    with quiet() as (settings, _):
        dropped = drop(settings.home, which)
    lines = [f"{each} is no longer kept: shelf gc takes what nobody needs." for each in dropped]
    output.result({"dropped": dropped}, "\n".join(lines))
