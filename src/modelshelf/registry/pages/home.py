"""The first page: what this is, a search box, what is new, what is used most."""

from __future__ import annotations

from starlette.responses import Response

from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.reading import figures, newest
from modelshelf.registry.pages.rendering import page
from modelshelf.registry.routing import Call

_SHOWN = 6
_MOST_TASKS = 16


def home(call: Call) -> Response:
    """Show the first page."""
    with call.service.database.reading() as connection:
        context = {"figures": figures(connection), "newest": newest(connection, _SHOWN)}
    everything = call.service.search.query("", {}, limit=_SHOWN)
    context |= {"popular": everything.hits, "tasks": everything.facets["task"][:_MOST_TASKS]}
    return page(call.request, "home.html", context)


PAGE = Page("/", home)
