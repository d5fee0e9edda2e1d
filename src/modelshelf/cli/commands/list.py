"""List what is installed on this shelf."""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output, size


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a package."""
    from modelshelf.client.shelf import Shelf

    shelf = Shelf.find()
    rows, values = [], []
    for each in shelf.lock().packages:
        installed = [a for a in each.artifacts if a.installed]
        total = sum(file.size for file in each.installed_files())
        models = ", ".join(f"{a.variant} ({a.format})" for a in installed)
        rows.append((each.name, each.version, models, size(total), each.license or ""))
        values.append(
            {
                "name": each.name,
                "version": each.version,
                "artifacts": [{"variant": a.variant, "format": a.format} for a in installed],
                "bytes": total,
                "license": each.license,
                "folder": str(shelf.release(each)),
            }
        )
    text = output.table(("name", "version", "models", "size", "license"), rows)
    output.result({"packages": values}, text or "Nothing is installed here.")
