"""List what is installed on this shelf."""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output, size
from modelshelf.cli.project import add_place, held_of
from modelshelf.package.path import ENTRY


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: which shelf."""
    add_place(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a package."""
    shelf, lock = held_of(arguments)
    rows, values = [], []
    absent = {each.name for each in lock.packages if not (shelf.release(each) / ENTRY).is_file()}
    for each in lock.packages:
        total = sum(file.size for file in each.installed_files())
        models = ", ".join(f"{a.variant} ({a.format})" for a in each.installed)
        name = f"{each.name} (for {each.isolated})" if each.isolated not in ("", each.name) else ""
        state = ("not here: shelf sync" if each.name in absent else "",) if absent else ()
        license_name = each.license or ""
        rows.append((name or each.name, each.version, models, size(total), license_name, *state))
        values.append(
            {
                "name": each.name,
                "version": each.version,
                "isolated": each.isolated or None,
                "artifacts": [{"variant": a.variant, "format": a.format} for a in each.installed],
                "bytes": total,
                "license": each.license,
                "here": each.name not in absent,
                "folder": str(shelf.release(each)),
            }
        )
    heads = ("name", "version", "models", "size", "license", *([""] if absent else []))
    text = output.table(heads, rows)
    output.result({"packages": values}, text or "Nothing is installed here.")
