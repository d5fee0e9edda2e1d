"""`GET /handles/{hub}/{handle}`: from what another hub calls a release to the one here."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from modelshelf.errors import NotFound
from modelshelf.package.handle import Resolved
from modelshelf.registry import handles, pages, replies
from modelshelf.registry.routing import Call, Resource

API = Resource("handles")
_VARY = {"vary": "Accept"}


@API.route(
    "GET", "/handles/{hub}/{handle:path}",
    summary="The release that another hub's handle or address leads to; browsers are sent there",
    returns=Resolved,
)  # fmt: skip
def resolve(call: Call) -> Response:
    """Tell a program where a handle leads, and take a person there."""
    wants_page = "text/html" in call.request.headers.get("accept", "")
    hub, handle = call.path("hub"), call.path("handle")
    try:
        with call.service.database.reading() as connection:
            found = handles.resolve(connection, hub, handle, call.base_url)
    except NotFound as error:
        if not wants_page:
            raise
        return pages.problem(call.request, 404, error)
    if wants_page:
        return RedirectResponse(found.url.removeprefix(call.base_url), 302, headers=_VARY)
    return replies.json(found, headers=_VARY)
