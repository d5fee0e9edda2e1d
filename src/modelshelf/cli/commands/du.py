"""Show what the store takes of the disk: by release, what nobody needs, what is still arriving.

"alone" are the bytes that no other release has as well.
"""

from __future__ import annotations

import argparse

from modelshelf.cli.output import Output, size


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_arguments: argparse.Namespace, output: Output) -> None:
    """Print one line a release, then the sums."""
    from modelshelf.client.care import garbage, gather, uses
    from modelshelf.client.move import quiet
    from modelshelf.client.pack import blobs_of

    with quiet() as (settings, store):
        found = gather(settings.home)
        releases, waste = uses(store, found), garbage(store, found)
        total = sum(map(store.size, store.digests()))
        arriving = sum(path.stat().st_size for path in store.partials())
        packed = sum(each.size for each in blobs_of(store).held())
    value = {
        "store": str(store.root),
        "releases": [each._asdict() for each in releases],
        "unneeded_bytes": sum(waste.files.values()),
        "partial_bytes": arriving,
        "gc_bytes": waste.freed_bytes,
        "packed_bytes": packed,
        "total_bytes": total + arriving + packed,
    }
    rows = [
        (each.name, each.version, size(each.bytes), size(each.unique_bytes), str(len(each.roots)))
        for each in releases
    ]
    sums = [
        ("needed", size(total - sum(waste.files.values()))),
        ("not needed", size(sum(waste.files.values()))),
        ("arriving", size(arriving)),
        *([("packed", size(packed))] if packed else []),
        ("in all", size(total + arriving + packed)),
        ("shelf gc would free", size(waste.freed_bytes)),
    ]
    text = output.table(("name", "version", "size", "alone", "needed by"), rows)
    lines = [text, ""] if text else []
    lines += [f"{name:<21}{amount}" for name, amount in sums]
    output.result(value, "\n".join(lines))
