"""Files by sha256: immutable, with ranges, for anyone and any cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from modelshelf.errors import NotFound
from modelshelf.registry import releases
from modelshelf.registry.routing import Call, Resource
from modelshelf.store.digest import is_sha256

API = Resource("files")


class _Blob(FileResponse):
    """A file, or the part of it asked for; what was sent of it is told to `sent`, once.

    It is told before the last piece goes out: who has the file finds it in the log.
    """

    chunk_size = 1 << 20
    sent: Callable[[int], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, whole or until the client goes away."""
        count = 0

        async def counting(message: Message) -> None:
            nonlocal count
            if message["type"] == "http.response.body":
                size = len(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._tell(count + size)
                await send(message)
                count += size
            else:
                await send(message)

        try:
            await super().__call__(scope, receive, counting)
        finally:
            with CancelScope(shield=True):
                await self._tell(count)

    async def _tell(self, count: int) -> None:
        told, self.sent = self.sent, None
        if told is not None:
            await run_in_threadpool(told, count)


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
    headers = {
        "etag": f'"{sha256}"',
        "cache-control": "public, max-age=31536000, immutable",
        # What publishers upload is data: no browser shall take it for a page.
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if _has_it(call, sha256):
        return Response(status_code=304, headers=headers)
    path = call.service.store.path(sha256)
    blob = _Blob(
        path,
        headers=headers,
        media_type="application/octet-stream",
        filename=call.query("name"),
        stat_result=os.stat(path),  # noqa: PTH116 (what FileResponse takes)
    )
    if call.request.method == "GET" and (install := call.request.headers.get("shelf-install")):
        client = call.request.client.host if call.request.client else ""
        blob.sent = partial(call.service.downloads.write, install, sha256, client)
    return blob


def _has_it(call: Call, sha256: str) -> bool:
    asked = call.request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    return f'"{sha256}"' in tags or "*" in tags
