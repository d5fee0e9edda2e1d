"""Read every file of this shelf and compare it with the lock; nothing is changed.

--store also reads every file of the store, for all shelves. Exit code 5 where something is wrong;
shelf repair mends it.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output, size
from modelshelf.cli.project import add_place, held_of
from modelshelf.errors import IntegrityError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.client.verify import Finding, Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: how much to read."""
    parser.add_argument("--store", action="store_true", help="every file of the store as well")
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Read, then tell what is wrong and what to do."""
    from modelshelf.client import verify
    from modelshelf.client.pins import pinned
    from modelshelf.client.settings import settings

    chosen = settings()
    store = chosen.files()
    planned = verify.plan(*held_of(arguments), store)
    if arguments.store:
        pins = (each for lock in pinned(chosen.home).values() for each in lock.packages)
        planned = verify.together(planned, verify.plan_store(store, pins))
    with output.progress(planned.bytes, "verifying") as progress:
        found = verify.run(planned, progress)
    return _tell(planned, found, output)


def _tell(planned: Plan, found: list[Finding], output: Output) -> int:
    wrong = [each for each in found if not each.note]
    notes = [each for each in found if each.note]
    value = {
        "files": len(planned.checks),
        "bytes": planned.bytes,
        "wrong": [each._asdict() for each in wrong],
        "notes": [each._asdict() for each in notes],
    }
    lines = []
    for each in found:
        word = output.paint("note", "dim") if each.note else output.paint(each.kind, "red")
        lines += [f"{word}: {each.message}", f"  where: {each.where}", f"  hint: {each.hint}"]
    lines.append(f"{len(planned.checks)} files read ({size(planned.bytes)}): {_count(len(wrong))}.")
    output.result(value, "\n".join(lines))
    return IntegrityError.exit_code if wrong else 0


def _count(wrong: int) -> str:
    if wrong == 1:
        return "1 thing is wrong"
    return f"{wrong} things are wrong" if wrong else "all is well"
