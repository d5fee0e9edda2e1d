"""The pages: plain HTML made on the server, readable without JavaScript, under a strict policy.

A page is one module here with a constant `PAGE` (see `page.Page`) and one template beside it; to
add one, add the two files. The application mounts `routes()` after all its other routes, because
`/{publisher}` answers whatever is left over, wraps itself in `headers.SecurityHeaders`, and
answers unknown paths with `page.problem`.
"""

from __future__ import annotations

from starlette.routing import Route

from modelshelf.plugins import offered
from modelshelf.registry.pages.headers import SecurityHeaders
from modelshelf.registry.pages.page import Page, problem

__all__ = ["Page", "SecurityHeaders", "problem", "routes"]


def routes() -> list[Route]:
    """A route for every page on offer, fixed paths before those with parameters."""
    pages = [page for page in offered(__name__, "PAGE") if isinstance(page, Page)]
    return [page.route() for page in sorted(pages, key=lambda page: page.path.count("{"))]
