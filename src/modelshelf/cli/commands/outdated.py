"""Show which installed packages have newer releases, or warnings.

What the step to the newer release means is told before anything is fetched: whether callers may
break, what moved, metrics, license, bytes. Exit code 1 where there is something to do.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from modelshelf.cli.bench import sources_of, stock
from modelshelf.cli.output import Output, size
from modelshelf.cli.project import add_network, add_place, shelf_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelshelf.client.outdated import Outdated


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: which shelf, and where to ask."""
    add_place(parser)
    add_network(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print one line a package."""
    from modelshelf.client.outdated import outdated
    from modelshelf.client.settings import settings

    shelf = shelf_of(arguments)
    project, lock = shelf.project(), shelf.lock()
    sources = sources_of(arguments, project, lock)
    rows = outdated(
        project,
        lock,
        sources.index,
        environment=shelf.environment(lock.names, arguments.environment),
        stock=stock(settings(arguments.registry).files(), sources),
        now=datetime.now(UTC),
    )
    output.result(rows, _table(rows, output) or "Everything is up to date.")
    return int(bool(rows))


def _table(rows: list[Outdated], output: Output) -> str:
    from modelshelf.cli.steps import license_text, metrics_text

    heads = ["name", "current", "wanted", "latest", "level", "moved", "to fetch", "advisory"]
    cells = [
        [r.name, r.current, r.wanted, r.latest, r.level or "", ", ".join(r.axes),
         size(r.bytes_to_fetch) if r.level else "", r.advisory or ""]
        for r in rows
    ]  # fmt: skip
    lines = [output.table(heads, cells)] if cells else []
    for row in rows:
        if row.metrics:
            lines.append(f"{row.name}: {metrics_text(row.metrics, output)}")
        if row.license_change:
            lines.append(f"{row.name}: license {license_text(row.license_change, output)}")
    return "\n".join(lines)
