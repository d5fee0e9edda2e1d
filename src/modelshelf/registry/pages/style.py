"""The stylesheet, under an address that changes with its content, so that it is kept for ever."""

from __future__ import annotations

from starlette.responses import Response

from modelshelf.registry.pages.page import Page
from modelshelf.registry.pages.rendering import stylesheet
from modelshelf.registry.routing import Call


def style(call: Call) -> Response:
    """Send the stylesheet."""
    del call
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(stylesheet()[1], media_type="text/css", headers=headers)


PAGE = Page(stylesheet()[0], style)
