"""Go back to a former state of the shelf: what was wanted, and what was locked.

Without --to to the one before. --list shows all; every change of the lock is one.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.bench import changing, tell
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_network, add_place, shelf_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.client.shelf import Shelf


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: where to."""
    parser.add_argument("--to", type=int, metavar="NUMBER", help="the state to go to")
    parser.add_argument("--list", action="store_true", help="show the states there are")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    add_place(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Put a former lock in force, and bring its files."""
    from modelshelf.client.rollback import back

    if arguments.list:
        _list(shelf_of(arguments), output)
        return
    arguments.allow_pickle = True  # it was consented to when it was installed
    with changing(arguments) as bench:
        states = bench.shelf.generations
        to = (
            states.numbered(arguments.to)
            if arguments.to is not None
            else states.before(bench.shelf.lock_text())
        )
        stock = bench.stock(bench.shelf.project())
        planned, text = back(bench.shelf, bench.before, to, stock, arguments.environment)
        moved = None
        if not arguments.dry_run:
            moved = bench.apply(planned, text, output, f"rollback to {to.number}")
    tell(planned, moved, output, generation=to.number)


def _list(shelf: Shelf, output: Output) -> None:
    current = shelf.lock_text()
    kept = shelf.generations.all()
    rows = [
        (str(each.number), each.time, each.done, "in force" if each.lock == current else "")
        for each in kept
    ]
    value = [
        {"generation": each.number, "time": each.time, "done": each.done,
         "environment": each.environment, "in_force": each.lock == current}
        for each in kept
    ]  # fmt: skip
    text = output.table(("generation", "time (UTC)", "done", ""), rows)
    output.result({"generations": value}, text or "Nothing was ever changed here.")
