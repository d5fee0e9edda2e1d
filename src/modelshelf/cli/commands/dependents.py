"""Show who depends on a package: on this shelf, and in the registry."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_place, held_of
from modelshelf.package import graph
from modelshelf.package import name as names


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package, and whom to ask."""
    parser.add_argument("package", metavar="NAME")
    parser.add_argument("--here", action="store_true", help="only on this shelf")
    add_place(parser)
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a dependent."""
    names.parse(arguments.package)
    _, lock = held_of(arguments)
    here = [
        {"name": each.by.name, "version": each.by.version, "requirement": each.need.version,
         "kind": each.need.kind}
        for each in graph.links(lock)
        if each.name == arguments.package and each.by
    ]  # fmt: skip
    elsewhere: list[dict[str, object]] = []
    if not arguments.here:
        registry, _ = registry_of(arguments)
        told = registry.ask("GET", f"/packages/{arguments.package}/dependents").get("dependents")
        elsewhere = told if isinstance(told, list) else []
    rows = [("this shelf", *map(str, each.values())) for each in here]
    rows += [("registry", *map(str, each.values())) for each in elsewhere]
    heads = ("where", "name", "version", "requirement", "kind")
    text = output.table(heads, [(*row, "")[: len(heads)] for row in rows])
    output.result(
        {"here": here, "registry": elsewhere}, text or f"Nothing depends on {arguments.package}."
    )
