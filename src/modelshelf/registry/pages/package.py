"""The page of a package: its latest release in all seven dimensions, and who needs it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from modelshelf.registry import releases
from modelshelf.registry.pages import presenting
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.reading import Seen, read
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.pages.variants import variant_table
from modelshelf.registry.routing import Call


def package(call: Call) -> Response:
    """Show the latest release of a package."""
    seen = read(call.service, call.path("publisher"), call.path("name"))
    return page(call.request, "package.html", context(seen))


def context(seen: Seen) -> Mapping[str, object]:
    """All that the page says."""
    entry, record = seen.entry, seen.record
    signatures = record.signatures or entry.signatures
    return shared(seen) | {
        "install": f"shelf install {entry.name}",
        "usage": None if entry.described else presenting.usage(entry, signatures),
        "instructions": seen.prose(record.package.usage),
        "signatures": signatures,
        "readme": seen.prose(record.package.readme),
        "chips": presenting.chips(record),
        "keywords": presenting.keywords(record),
        "links": presenting.links(record),
        "needs": presenting.needs(record),
        "dependents": seen.dependents,
        "downloads": seen.downloads,
    }


def shared(seen: Seen) -> dict[str, object]:
    """What the pages of a package and of a release both say."""
    entry = seen.entry
    publisher, _, name = entry.name.partition("/")
    components = seen.elements.get("components", {}).get("value")
    dimensions = presenting.dimensions(seen.elements)
    return {
        "publisher": publisher,
        "name": name,
        "entry": entry,
        "record": seen.record,
        "alerts": (
            *presenting.alerts(entry, seen.newest, releases.upstream_only(seen.history)),
            *presenting.newer_generations(seen.families),
        ),
        "families": seen.families,
        "variants": variant_table(entry, components),
        "report": seen.report,
        "dimensions": dimensions,
        "present": sum(dimension.present for dimension in dimensions),
        "total": sum(len(dimension.rows) for dimension in dimensions),
        "history": seen.history,
    }


PAGE = Page("/{publisher}/{name}", package)
