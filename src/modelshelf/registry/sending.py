"""Immutable bytes as any HTTP client reads them: whole or a range, in pieces, with their ETag."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 1 << 19
"""So much is in memory for each client: who reads slowly holds no more."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "accept-ranges": "bytes",
    # What publishers upload is data: no browser shall take it for a page.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
}


class Source(Protocol):
    """Bytes at any place."""

    size: int

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start` on."""

    def close(self) -> None:
        """Called once, when nothing more is read."""


class Sent(Response):
    """The bytes of a source, as the request asks for them; what was sent is told to `tell`, once.

    It is told before the last piece goes out: who has the file finds it in the log.
    """

    def __init__(
        self,
        request: Request,
        source: Source,
        etag: str,
        *,
        headers: Mapping[str, str] | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self._request = request
        self._source = source
        self._told = tell
        tag = f'"{etag}"'
        super().__init__(
            headers={**HEADERS, "etag": tag, **(headers or {})},
            media_type="application/octet-stream",
        )
        self._tag = tag

    def begun(self) -> Sent:
        """Itself, after a byte was read: what cannot be read is told while there is a status."""
        part = self._part(self._source.size)
        if part is not None and part[0] < part[1] and self._request.method != "HEAD":
            try:
                self._source.read(part[0], 1)
            except BaseException:
                self._source.close()
                raise
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or the part that is asked for, until the client goes away."""
        del scope, receive
        try:
            await self._answer(self._source, send)
        finally:
            self._source.close()

    async def _answer(self, source: Source, send: Send) -> None:
        part = self._part(source.size)
        if part is None:
            unmet = {"content-range": f"bytes */{source.size}", "content-length": "0"}
            return await self._start(send, 416, unmet)
        first, end = part
        headers = {"content-length": str(end - first)}
        status = 200
        if (first, end) != (0, source.size):
            status = 206
            headers["content-range"] = f"bytes {first}-{end - 1}/{source.size}"
        if self._request.method == "HEAD":
            return await self._start(send, status, headers)
        return await self._pieces(source, first, end, send, status, headers)

    async def _pieces(
        self, source: Source, first: int, end: int, send: Send, status: int, headers: dict[str, str]
    ) -> None:
        at = first
        try:
            await self._start(send, status, headers, more=True)
            while at < end:
                piece = await run_in_threadpool(source.read, at, min(PIECE_BYTES, end - at))
                if not piece:
                    raise OSError(f"a file ends at {at} of {end} bytes")
                if at + len(piece) == end:
                    await self._tell(end - first)
                more = at + len(piece) < end
                await send({"type": "http.response.body", "body": piece, "more_body": more})
                at += len(piece)
            if first == end:
                await send({"type": "http.response.body", "body": b""})
        finally:
            with CancelScope(shield=True):
                await self._tell(at - first)

    async def _start(
        self, send: Send, status: int, headers: Mapping[str, str], *, more: bool = False
    ) -> None:
        raw = [(k, v) for k, v in self.raw_headers if k != b"content-length"]
        raw += [(k.encode(), v.encode()) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        if not more:
            await send({"type": "http.response.body", "body": b""})

    def _part(self, size: int) -> tuple[int, int] | None:
        """First byte and the one after the last; None where there is no such part (RFC 9110, 14.2).

        Several ranges at once, and what is no range, are answered with everything.
        """
        headers = self._request.headers
        match = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
        if match is None or headers.get("if-range", self._tag) != self._tag:
            return 0, size
        first, last = match[1], match[2]
        if not first:
            if not last:
                return 0, size
            return (max(size - int(last), 0), size) if int(last) and size else None
        if last and int(last) < int(first):
            return 0, size
        end = min(int(last) + 1, size) if last else size
        return (int(first), end) if int(first) < size else None

    async def _tell(self, count: int) -> None:
        told, self._told = self._told, None
        if told is not None:
            await run_in_threadpool(told, count)


def has_it(request: Request, tag: str) -> bool:
    """Whether the client holds what `tag` (quoted) names already."""
    asked = request.headers.get("if-none-match", "")
    tags = {each.strip().removeprefix("W/") for each in asked.split(",")}
    return tag in tags or "*" in tags
