"""The index: one small document a package, all that resolving and installing need."""

from __future__ import annotations

from starlette.responses import Response

from modelshelf.errors import NotFound
from modelshelf.package.name import PART
from modelshelf.registry.index import HEADERS, Document
from modelshelf.registry.routing import Call, Resource

API = Resource("index")


@API.route(
    "GET", "/index/{publisher}/{name}.jsonl",
    summary="All releases of a package, one index entry a line (ETag, If-None-Match)",
)  # fmt: skip
async def read(call: Call) -> Response:
    """Send the index document, where `index.Shortcut` has not: HEAD, and what is not there."""
    publisher, name = call.path("publisher"), call.path("name")
    valid = PART.fullmatch(publisher) and PART.fullmatch(name)
    document: Document | None = call.service.documents.get(publisher, name) if valid else None
    if document is None:
        raise NotFound("There is no such package", where=f"{publisher}/{name}"[:140])
    headers = {name.decode(): value.decode() for name, value in HEADERS} | {"etag": document.etag}
    if document.etag in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(document.body, headers=headers)
