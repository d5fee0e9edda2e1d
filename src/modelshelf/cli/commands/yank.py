"""Hide a release from new installs; shelves that have it locked keep it."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of, release
from modelshelf.cli.output import Output
from modelshelf.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the release and why."""
    parser.add_argument("release", metavar="NAME@VERSION")
    parser.add_argument("--reason", help="what is wrong with it, shown to everyone")
    parser.add_argument("--undo", action="store_true", help="make it available again")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Yank, or take it back."""
    name, version = release(arguments.release)
    if version is None or bool(arguments.reason) == arguments.undo:
        raise UsageError(
            "tell which release and why",
            expected='shelf yank NAME@VERSION --reason "..." or shelf yank NAME@VERSION --undo',
        )
    registry, _ = registry_of(arguments)
    path = f"/packages/{name}/{version}/yank"
    if arguments.undo:
        registry.ask("DELETE", path)
    else:
        registry.ask("PUT", path, {"reason": arguments.reason})
    done = "is available again" if arguments.undo else "is yanked"
    value = {"name": name, "version": version, "yanked": arguments.reason}
    output.result(value, f"{name} {version} {done}.")
