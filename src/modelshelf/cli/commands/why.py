"""Tell why a package is installed: the way to it from everything that the project wants."""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output
from modelshelf.cli.project import add_place, held_of
from modelshelf.package import graph
from modelshelf.package.condition import typed
from modelshelf.package.graph import Link


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the package."""
    parser.add_argument("package", metavar="NAME")
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a way."""
    shelf, lock = held_of(arguments)
    there = [each for each in lock.packages if each.name == arguments.package]
    if not there:
        shelf.locked(arguments.package)  # tells why it is not
    found = [way for package in there for way in graph.reasons(lock, package)]
    value = [
        [
            {"name": each.name, "version": each.on.version if each.on else None,
             "need": typed(each.need), "kind": each.need.kind}
            for each in way
        ]
        for way in found
    ]  # fmt: skip
    lines = [_sentence(way, shelf.file.name) for way in found]
    output.result({"name": arguments.package, "ways": value}, "\n".join(lines))


def _sentence(way: list[Link], file: str) -> str:
    """`shelf.toml wants acme/top ^1.0 (1.2.0), which needs acme/base ^2.0 (2.1.0)`."""
    text = ""
    for number, each in enumerate(way):
        verb = f"{file} wants" if number == 0 else ", which needs"
        version = each.on.version if each.on else "-"
        kind = f", {each.need.kind}" if each.need.kind != "runtime" else ""
        text += f"{verb} {each.name} {typed(each.need)} ({version}{kind})"
    return text
