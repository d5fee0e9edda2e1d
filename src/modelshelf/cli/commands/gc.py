"""Take from the store what no shelf, generation or pin needs.

Exit code 1, and nothing is taken, where what a shelf needs cannot be known.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output, size
from modelshelf.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.client.care import Garbage
    from modelshelf.client.pack import Packed


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: whether only to look, and how far back shelves may go."""
    parser.add_argument("--dry-run", action="store_true", help="show what would go")
    parser.add_argument(
        "--pack",
        action="store_true",
        help="compress what only former generations need; rollback unpacks it",
    )
    parser.add_argument(
        "--keep-generations",
        type=int,
        metavar="N",
        help="of every shelf also forget all generations but the newest N (at least 1)",
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Find it, take it away, tell how much that was."""
    from modelshelf.client import care, pack
    from modelshelf.client.move import quiet
    from modelshelf.client.settings import settings

    kept, forgotten = arguments.keep_generations, 0
    if kept is not None and kept < 1:
        raise UsageError("a shelf keeps at least the generation in force", got=kept)
    if not arguments.dry_run:
        chosen = settings()
        lends = chosen.files().lends
        care.forget_begun(chosen.home, lends)
        forgotten = care.forget_generations(chosen.home, kept, lends) if kept else 0
    with quiet() as (chosen, store):
        needed = care.gather(chosen.home, generations=kept)
        found = care.garbage(store, needed)
        idle = pack.inactive(store, needed) if arguments.pack else {}
        packed, unpacked = pack.Packed(len(idle), sum(idle.values()), 0), 0
        if not arguments.dry_run:
            care.collect(chosen.home, store, found)
            with output.progress(packed.raw, "packing") as progress:
                packed = pack.pack(store, idle, progress)
            unpacked = pack.sweep(store, needed)
    _tell(found, packed, unpacked, output, dry_run=arguments.dry_run, forgotten=forgotten)


def _tell(
    found: Garbage, packed: Packed, unpacked: int, output: Output, *, dry_run: bool, forgotten: int
) -> None:
    value = {
        "dry_run": dry_run,
        "files": list(found.files),
        "partials": [path.name for path in found.partials],
        "freed_bytes": found.freed_bytes + unpacked,
        "packed": packed._asdict(),
        "held_bytes": found.held_bytes,
        "generations": forgotten,
        "gone_shelves": [str(folder) for folder in found.gone],
    }
    verb = "Would free" if dry_run else "Freed"
    lines = [f"The shelf of {folder} is gone and forgotten." for folder in found.gone]
    if forgotten:
        lines.append(f"Forgot {_count(forgotten, 'generation')}.")
    if found.files or found.partials:
        lines.append(
            f"{verb} {size(found.freed_bytes)}: {_count(len(found.files), 'file')},"
            f" {_count(len(found.partials), 'download')} that nobody went on with."
        )
    if unpacked:
        lines.append(f"Freed {size(unpacked)} of packed files that nobody needs packed.")
    if packed.files:
        many = f"{_count(packed.files, 'file')} of {size(packed.raw)}"
        lines.append(
            f"Would pack {many}."
            if dry_run
            else f"Packed {many} into {size(packed.stored)}, for former generations."
        )
    if found.held_bytes:
        lines.append(f"{size(found.held_bytes)} more stay on the disk under other names.")
    output.result(value, "\n".join(lines) or "Nothing to free: everything is needed.")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
