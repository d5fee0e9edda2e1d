"""The shelf that a command is about: the options that name it, one place for all commands."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_limit_rate, add_registry
from modelshelf.client.settings import settings
from modelshelf.client.shelf import Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.package.lock import Lock


def add_place(parser: argparse.ArgumentParser) -> None:
    """`--user` and `--environment`: which shelf, and what this machine is."""
    parser.add_argument("--user", action="store_true", help="your own shelf, outside all projects")
    parser.add_argument("--environment", metavar="NAME", help="what this machine is, of the lock's")


def add_network(parser: argparse.ArgumentParser) -> None:
    """`--registry URL`, `--offline` and `--limit-rate RATE`."""
    add_registry(parser)
    parser.add_argument("--offline", action="store_true", help="use only what is here already")
    add_limit_rate(parser)


def add_resolution(parser: argparse.ArgumentParser) -> None:
    """`--exclude-newer` and `--min-release-age`: what is too new to be chosen."""
    parser.add_argument(
        "--exclude-newer", metavar="DAY", help="choose no release newer than this day or moment"
    )
    parser.add_argument(
        "--min-release-age", metavar="TIME", help="choose none younger than this: '7 days'"
    )


def shelf_of(arguments: argparse.Namespace) -> Shelf:
    """The shelf of the project here, or the user's own."""
    return Shelf.of_user(settings().home) if arguments.user else Shelf.find()


def held_of(arguments: argparse.Namespace) -> tuple[Shelf, Lock]:
    """The shelf and what the environment of this machine sees of its lock."""
    shelf = shelf_of(arguments)
    lock = shelf.lock()
    return shelf, lock.of(shelf.environment(lock.names, arguments.environment))
