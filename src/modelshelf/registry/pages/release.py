"""The page of one release: its four names, its files with their hashes, what came before it."""

from __future__ import annotations

from starlette.responses import Response

from modelshelf.registry.pages.package import shared
from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.reading import read
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call


def release(call: Call) -> Response:
    """Show one release, yanked ones too."""
    seen = read(call.service, call.path("publisher"), call.path("name"), call.path("version"))
    entry = seen.entry
    context = shared(seen) | {
        "install": f'shelf install "{entry.name}@{entry.version}"',
        "step": seen.step,
        "notes": seen.prose(seen.record.package.notes),
    }
    return page(call.request, "release.html", context)


PAGE = Page("/{publisher}/{name}/{version}", release)
