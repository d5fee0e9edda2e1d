"""Replace what shelf verify finds missing or damaged, on this shelf and in the store.

Healthy bytes come from the store, a shared one or another shelf, else from the registry that the
lock names. --store does so for every shelf, and throws damaged files away that nobody needs.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.options import is_offline
from modelshelf.cli.output import Output
from modelshelf.cli.project import add_place, held_of
from modelshelf.errors import ShelfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from modelshelf.client.http import Connection
    from modelshelf.client.repair import Mended


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: how much to mend, and from where."""
    parser.add_argument("--store", action="store_true", help="the whole store, for every shelf")
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Mend, then tell what was mended and what could not be."""
    from modelshelf.client.care import gather
    from modelshelf.client.repair import Healer, may_stand, repair_shelf, repair_store
    from modelshelf.client.settings import settings
    from modelshelf.client.shelf import Shelf

    chosen = settings()
    roots = gather(chosen.home).roots
    store = chosen.files()
    healer = Healer(store, roots, _connect(arguments), lambda _count: None)
    shelf, held = held_of(arguments)
    shelves = {shelf.root.resolve(): (shelf, held)}
    if arguments.store:
        others = [Shelf(root.shelf) for root in roots if root.shelf is not None]
        shelves = {each.root: (each, each.held()) for each in others} | shelves
    mended = []
    for each, files in shelves.values():
        if files.packages:
            with each.writing(may_stand(each, files, store)):
                mended += repair_shelf(each, files, healer)
    if arguments.store:
        mended += repair_store(healer, roots)
    return _tell(mended, output)


def _connect(arguments: argparse.Namespace) -> Callable[[str], Connection]:
    from modelshelf.client.http import Connection
    from modelshelf.client.settings import settings

    chosen = settings()
    offline = is_offline(arguments)

    def connection(url: str) -> Connection:
        # files are for everybody: only the user's own registry is shown who asks
        token = chosen.token if url == chosen.registry else None
        return Connection(url, token=token, offline=offline)

    return connection


def _tell(mended: list[Mended], output: Output) -> int:
    lines, values = [], []
    for each in mended:
        values.append(each._asdict() | {"trouble": each.trouble and each.trouble.as_json()})
        if each.trouble is None:
            source = each.source if each.source == "thrown away" else f"from {each.source}"
            lines.append(f"{output.paint('+', 'green')} {each.where} ({source})")
        else:
            lines.append(f"{output.paint('!', 'red')} {each.where} of {each.release}: ")
            lines[-1] += each.trouble.message
            lines += [f"  hint: {each.trouble.hint}"] if each.trouble.hint else []
    output.result({"mended": values}, "\n".join(lines) or "Nothing to repair: all is well.")
    return max((_code(each.trouble) for each in mended), default=0)


def _code(trouble: ShelfError | None) -> int:
    return 0 if trouble is None else trouble.exit_code
