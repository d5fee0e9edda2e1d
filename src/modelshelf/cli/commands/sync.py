"""Make what is installed equal to shelf.lock, and the lock answer shelf.toml.

--locked refuses where the lock would have to change; --frozen takes the lock as it is and asks no
registry anything that the store can answer.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.bench import changing, note_mismatches, tell
from modelshelf.cli.options import add_consent
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: how strict."""
    strict = parser.add_mutually_exclusive_group()
    strict.add_argument(
        "--locked", action="store_true", help="exit with 4 where the lock is out of date"
    )
    strict.add_argument("--frozen", action="store_true", help="do not look whether it is")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_consent(parser)
    add_place(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Bring what the lock names, take away what it does not."""
    from modelshelf.client.install import keep, stale
    from modelshelf.errors import LockStale
    from modelshelf.package.answer import unanswered

    strict = arguments.locked or arguments.frozen
    with changing(arguments, relock=not strict) as bench:
        if arguments.locked and (why := stale(bench.before, bench.shelf.parse(bench.text))):
            raise LockStale(f"shelf.lock is out of date: {why}", hint="run: shelf lock")
        if arguments.frozen and not bench.shelf.lock_text() and bench.text:
            raise LockStale("there is no shelf.lock", hint="run: shelf lock")
        if arguments.frozen:
            if why := unanswered(bench.before):
                raise LockStale(f"shelf.lock is not whole: {why}", hint="run: shelf lock")
            here = bench.shelf.environment(bench.before.names, arguments.environment)
            stock = bench.stock(bench.shelf.parse(bench.text))
            planned = keep(bench.before, here, stock, text=bench.shelf.lock_text())
        else:
            planned = bench.planned(bench.text)
        text = bench.arriving(planned)
        moved = None
        if not arguments.dry_run:
            moved = bench.apply(planned, bench.text, output, "sync")
    mismatches = note_mismatches(bench.shelf, planned, output) if not arguments.dry_run else []
    tell(planned, moved, output, text=text, mismatches=mismatches)
