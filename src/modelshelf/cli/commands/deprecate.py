"""Mark a package as deprecated and name its successor."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.package import name


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package, its successor and why."""
    parser.add_argument("package", metavar="NAME")
    parser.add_argument("--successor", metavar="NAME", help="the package to use instead")
    parser.add_argument("--reason", help="shown to everyone who installs it")
    parser.add_argument("--undo", action="store_true", help="make it active again")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Change the package's status."""
    name.parse(arguments.package)
    if arguments.successor:
        name.parse(arguments.successor)
    status = "active" if arguments.undo else "deprecated"
    body = {"status": status, "successor": arguments.successor, "reason": arguments.reason}
    registry, _ = registry_of(arguments)
    registry.ask("PUT", f"/packages/{arguments.package}/status", body)
    output.result({"name": arguments.package, **body}, f"{arguments.package} is {status} now.")
