"""Say what the next release may be called, and draft its notes.

Compares the folder with the release before it: the level that the changes ask for, the smallest
right version, and with --notes a draft of release notes to edit.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.package.version import Version


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: the folder, and whether to draft notes."""
    parser.add_argument("folder", nargs="?", default=".", help="default: here")
    parser.add_argument("--notes", action="store_true", help="draft release notes (Markdown)")
    parser.add_argument(
        "--against",
        metavar="RELEASE",
        help="compare with NAME@VERSION or a folder (default: the release before this one)",
    )
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Compare, then say the version or the notes."""
    from modelshelf.checks.compared import compare
    from modelshelf.checks.diff import suffices
    from modelshelf.checks.notes import release_notes
    from modelshelf.client.compare import pair

    registry, _ = registry_of(arguments)
    first, second = arguments.against or arguments.folder, arguments.folder
    old, new = pair(registry, first, second if arguments.against else None)
    found = compare(old, new)
    told = found.diff
    is_later = Version.parse(told.new) > Version.parse(told.old)
    fits = is_later and suffices(told.old, told.new, told.level)
    notes = release_notes(told, old, new)
    value = {
        "name": told.name,
        "previous": told.old,
        "version": told.new,
        "level": told.level,
        "axes": told.axes,
        "unverified": told.unverified,
        "next": found.next,
        "suffices": fits,
        "notes": notes,
    }
    asked = f"After {told.old} the changes ask for a {told.level} step: at least {found.next}."
    stated = f"shelf.toml says {told.new}: {'right' if fits else 'too low'}."
    if arguments.notes:
        output.note(f"{asked} {stated}")
    output.result(value, notes if arguments.notes else f"{asked}\n{stated}")
