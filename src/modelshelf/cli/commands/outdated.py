"""Show which installed packages have newer releases, or warnings.

Exit code 1 where there is something to do.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: where to ask."""
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print one line a package."""
    from modelshelf.client.install import index_of
    from modelshelf.client.outdated import outdated
    from modelshelf.client.shelf import Shelf

    registry, _ = registry_of(arguments)
    rows = outdated(Shelf.find().lock(), index_of(registry))
    text = output.table(
        ("name", "current", "wanted", "latest", "level", "moved", "alert"),
        [
            (r.name, r.current, r.wanted, r.latest, r.level or "", ", ".join(r.axes), r.alert or "")
            for r in rows
        ],
    )
    output.result(
        {"outdated": [row._asdict() for row in rows]}, text or "Everything is up to date."
    )
    return int(bool(rows))
