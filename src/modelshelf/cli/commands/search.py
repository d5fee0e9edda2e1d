"""Find packages by words and by facets."""

from __future__ import annotations

import argparse

from modelshelf.cli.options import add_registry, registry_of
from modelshelf.cli.output import Output
from modelshelf.package.search import FACETS, Hit

_HELP = {
    "hub": "imported from this hub, such as tfhub or pytorchhub",
    "availability": "installable, described-only or files-gone",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments: words, one option a facet, which page."""
    parser.add_argument("words", nargs="*", help="words in name, summary, keywords, readme")
    for facet in FACETS:
        parser.add_argument(
            f"--{facet}", action="append", default=[], metavar="VALUE", help=_HELP.get(facet)
        )
    parser.add_argument(
        "--family", action="append", default=[], metavar="ID", help="only members of this family"
    )
    parser.add_argument("--limit", type=int, default=20, help="how many to show (default 20)")
    parser.add_argument("--offset", type=int, default=0, help="how many to pass over")
    add_registry(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Print what matches, best first."""
    registry, _ = registry_of(arguments)
    facets = {name: getattr(arguments, name) for name in (*FACETS, "family")}
    hits = registry.search(
        " ".join(arguments.words), facets, offset=arguments.offset, limit=arguments.limit
    )
    rows = [
        (hit.name, hit.version, hit.task or "", _formats(hit), hit.summary or "")
        for hit in hits.results
    ]
    text = output.table(("name", "version", "task", "formats", "summary"), rows)
    if not rows:
        text = "Nothing matches. Try fewer words, or: shelf search --task TASK"
    elif hits.total > len(rows):
        text += (
            f"\n{len(rows)} of {hits.total}; --offset {arguments.offset + len(rows)} shows more."
        )
    output.result(hits, text)


def _formats(hit: Hit) -> str:
    """The formats, and that nobody can install them, where that is so."""
    formats = ", ".join(hit.formats)
    if hit.availability == "installable":
        return formats
    return f"{formats} ({hit.availability.replace('-', ' ')})".strip()
