"""Files by sha256: immutable, with ranges, for anyone and any cache."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from modelshelf.errors import NotFound
from modelshelf.registry import releases, upkeep
from modelshelf.registry.raw import SegmentReader
from modelshelf.registry.routing import Call, Resource
from modelshelf.registry.sending import HEADERS, Sent, has_it
from modelshelf.store.digest import is_sha256

API = Resource("files")


@API.route(
    "GET", "/files/{sha256}", summary="A file (also HEAD, Range, If-Range, If-None-Match)",
    query=("name",),
)  # fmt: skip
def read(call: Call) -> Response:
    """Send a published file; `name` is what a browser shall call it."""
    sha256 = call.path("sha256")
    with call.service.database.reading() as connection:
        size = releases.is_published(connection, sha256) if is_sha256(sha256) else None
    if size is None:
        raise NotFound("No release holds a file of this sha256", where=sha256[:64])
    if has_it(call.request, f'"{sha256}"'):
        return Response(status_code=304, headers={**HEADERS, "etag": f'"{sha256}"'})
    name = call.query("name")
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"} if name else {}
    source = call.service.raw.reader(sha256)
    if isinstance(source, SegmentReader) and call.wants_whole:
        upkeep.ask_for(call.service, sha256)
    sent = Sent(call.request, source, sha256, headers=headers, tell=call.install(sha256))
    return sent.begun()
