"""Choose releases for shelf.toml and write shelf.lock; nothing is fetched.

The lock is made for every environment that shelf.toml names, whatever machine this is. What is
locked stays unless --upgrade lets it move. A lock with the marks of a merge is made anew from what
both sides chose.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.bench import Bench, changing, tell
from modelshelf.cli.change import require
from modelshelf.cli.options import add_consent
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place, add_resolution


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: what may move, and whether only to look."""
    parser.add_argument("--check", action="store_true", help="exit with 4 where it would change")
    parser.add_argument(
        "--upgrade", nargs="*", metavar="NAME", help="let these packages move (none named: all)"
    )
    add_consent(parser)
    add_place(parser)
    add_resolution(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Write the lock that answers what is wanted."""
    from modelshelf.client.install import stale
    from modelshelf.errors import LockStale
    from modelshelf.package import lock as locks

    with changing(arguments, relock=not arguments.check) as bench:
        names = [each.name for each in bench.before.packages]
        for name in arguments.upgrade or ():
            require(name, names)
        why = stale(bench.before, bench.shelf.parse(bench.text))
        if arguments.check and why:
            raise LockStale(f"shelf.lock is out of date: {why}", hint="run: shelf lock")
        fresh = () if arguments.upgrade is None else tuple(arguments.upgrade or names)
        known = _known(bench)
        arguments.environment = known or next(iter(bench.shelf.parse(bench.text).places))
        planned = bench.planned(bench.text, fresh)
        text = locks.dumps(planned.lock) if planned.text is None else planned.text
        if arguments.check and text != bench.shelf.lock_text():
            raise LockStale("shelf.lock can be upgraded", hint="run: shelf lock --upgrade")
        if not arguments.check and planned.text is None:
            bench.shelf.generations.add(bench.shelf.lock_text(), text, known, "lock")
            bench.shelf.write_lock(text)
    tell(planned, None, output, nothing="Nothing to do: the lock answers shelf.toml.")


def _known(bench: Bench) -> str:
    """What this machine is; empty where nobody knows: the lock does not depend on it."""
    from modelshelf.errors import UsageError

    try:
        return bench.environment(bench.shelf.parse(bench.text))
    except UsageError:
        if bench.arguments.environment:
            raise
        return ""
