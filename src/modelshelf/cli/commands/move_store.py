"""Move the store to another folder, such as one on a bigger disk.

Shelves keep working: their files are their own. The new place is remembered in settings.json; a
link stays at the old one. Stopped in the middle, nothing is lost: run the same command again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelshelf.cli.output import Output, size


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: where to."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="empty, or not there yet")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Move, and tell where it lies now."""
    from modelshelf.client.move import move_store
    from modelshelf.client.settings import settings

    store = settings().files()
    with output.progress(sum(map(store.size, store.digests())), "moving") as progress:
        moved = move_store(arguments.folder, progress)
    value = {"from": str(moved.before), "to": str(moved.after), "bytes": moved.bytes}
    output.result(value, f"The store is at {moved.after} ({size(moved.bytes)}).")
