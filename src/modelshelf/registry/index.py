"""Index documents: one small file a package, one `Entry` a line, derived from the database."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection
from starlette.types import ASGIApp, Receive, Scope, Send

from modelshelf.registry import releases
from modelshelf.registry.database import Database
from modelshelf.store.digest import CONTENT, content_digest

_MAX_CACHED = 1024
_MAX_CACHED_BYTES = 256 << 10


class Document(NamedTuple):
    """An index file as it is served: its strong ETag (quoted), its bytes, and their digest."""

    etag: str
    body: bytes
    digest: str


def lines(connection: Connection, publisher: str, name: str) -> bytes:
    """The whole index document of one package, in publication order; empty if there is none."""
    return b"".join(
        msgspec.json.encode(entry) + b"\n"
        for entry in releases.entries(connection, publisher, name)
    )


def refresh(database: Database, folder: Path, publisher: str, name: str) -> None:
    """Write the package's index file anew. Doing it twice, or two at once, does no harm."""
    target = folder / publisher / f"{name}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{name}.{secrets.token_hex(6)}")
    try:
        with _TURN:
            with database.reading() as connection:
                content = lines(connection, publisher, name)
            temporary.write_bytes(content)
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


_TURN = threading.Lock()
"""Reading and replacing belong together: else an older state could be written last."""


class Documents:
    """Index files served from the disk; those asked for often stay in memory while unchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._cache: dict[str, tuple[tuple[int, int, int], Document]] = {}

    def get(self, publisher: str, name: str) -> Document | None:
        """The document of a package, or None when there is none. The names must be valid."""
        key = f"{publisher}/{name}"
        path = f"{self._folder}/{key}.jsonl"
        try:
            status = os.stat(path)  # noqa: PTH116 (the hot path of resolution: Path costs double)
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._cache.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        return self._load(key, path, stamp)

    def _load(self, key: str, path: str, stamp: tuple[int, int, int]) -> Document:
        body = Path(path).read_bytes()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        document = Document(tag, body, content_digest(body))
        if len(body) <= _MAX_CACHED_BYTES:
            if len(self._cache) >= _MAX_CACHED:
                self._cache.pop(next(iter(self._cache)), None)
            self._cache[key] = (stamp, document)
        return document


class Shortcut:
    """ASGI middleware: answers GETs of index documents before all else.

    They are most of what a registry is asked. Whatever is unusual passes on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        document = _asked_for(scope)
        if document is None:
            await self._app(scope, receive, send)
            return
        status, body = 200, document.body
        etag = document.etag.encode()
        for name, value in scope["headers"]:
            if name == b"if-none-match" and etag in value:
                status, body = 304, b""
        headers = [*HEADERS, (b"etag", etag)]
        if status == 200:
            headers.append((b"content-length", str(len(body)).encode()))
            headers.append((CONTENT.encode(), document.digest.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


HEADERS = [
    (b"content-type", b"application/jsonl"),
    # Caches may keep it, but ask each time: a yank must be seen.
    (b"cache-control", b"public, no-cache"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]
_ADDRESS = re.compile(r"/index/([a-z0-9-]+)/([a-z0-9-]+)\.jsonl")


def _asked_for(scope: Scope) -> Document | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    match = _ADDRESS.fullmatch(scope["path"])
    if match is None:
        return None
    documents: Documents = scope["app"].state.service.documents
    return documents.get(match[1], match[2])
