"""Segments and recipes: what clients fetch of large files, and only what they lack."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import msgspec
from starlette.responses import RedirectResponse, Response, StreamingResponse

from modelshelf.errors import Invalid, NotFound, Refused
from modelshelf.registry import recipes
from modelshelf.registry.raw import WholeReader
from modelshelf.registry.routing import Call, Resource
from modelshelf.registry.sending import HEADERS, Sent, has_it
from modelshelf.store.blobs import Blobs, DiskBlobs
from modelshelf.store.digest import is_sha256
from modelshelf.store.recipe import is_key, shortened
from modelshelf.store.recipe import tag as etag

API = Resource("segments")
MOST_KEYS = 1000
LONGEST_BUNDLE_BYTES = 8 << 20
LONGEST_BUNDLED_BYTES = 256 << 10
"""A segment in a bundle has no more: whoever reads slowly holds one in memory."""


class Asked(msgspec.Struct, frozen=True):
    """The keys of the segments wanted, `ID` or `ID-BASE`."""

    keys: tuple[str, ...]


@API.route("GET", "/recipes/{sha256}", summary="Of which segments a file is made", query=("after",))
def recipe(call: Call) -> Response:
    """Send the recipe of a published file: a msgpack array, compressed by zstd.

    Its parents may become more; its segments never change. For who has the recipe of the file
    `after`, the ids in that are zstd's dictionary: then the header `Shelf-After` names it.
    """
    sha256, after = call.path("sha256"), call.query("after") or ""
    with call.service.database.reading() as connection:
        body = recipes.body(connection, sha256) if is_sha256(sha256) else None
        known = recipes.find(connection, after) if is_sha256(after) else None
    if body is None:
        raise NotFound("No release holds such a file, or it is not cut yet", where=sha256[:64])
    tag = etag(body)
    headers = {**HEADERS, "cache-control": "public, no-cache", "etag": tag}
    if known is not None:
        headers["shelf-after"], body = after, shortened(body, known)
    if tell := call.install(sha256):  # of who has it already, too: what follows is segments only
        tell(0)
    if has_it(call.request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/octet-stream")


@API.route("GET", "/segments/{key}", summary="A stored segment (also HEAD, Range, If-Range)")
def segment(call: Call) -> Response:
    """Send a segment as it is stored, or tell where it lies."""
    key = call.path("key")
    _require_readable(call, [key])
    blobs = call.service.blobs
    if (elsewhere := blobs.url(key)) is not None:
        return RedirectResponse(elsewhere, 307, headers={"cache-control": "private, max-age=600"})
    assert isinstance(blobs, DiskBlobs)
    return Sent(call.request, _opened(blobs, key), key, tell=call.install(key))


@API.route("POST", "/segments", summary="Several small segments at once", body=Asked)
def bundle(call: Call, body: Asked) -> Response:
    """Send segments one after another, each after its length (4 bytes, the highest first)."""
    if call.service.settings.blobs is not None:
        raise Refused("Segments lie in an object store: ask for each by itself")
    if not 0 < len(body.keys) <= MOST_KEYS:
        raise Invalid(f"A bundle has 1 to {MOST_KEYS} segments", got=len(body.keys))
    sizes = _require_readable(call, body.keys)
    total = sum(sizes[key] for key in body.keys)
    if longest := next((key for key in sizes if sizes[key] > LONGEST_BUNDLED_BYTES), None):
        raise Invalid(
            "This segment is too large for a bundle: ask for it by itself",
            where=longest[:140],
            expected=LONGEST_BUNDLED_BYTES,
            got=sizes[longest],
        )
    if total > LONGEST_BUNDLE_BYTES:
        raise Invalid(
            "These segments are too large for a bundle", expected=LONGEST_BUNDLE_BYTES, got=total
        )
    headers = {"content-length": str(total + 4 * len(body.keys)), "cache-control": "no-store"}
    frames = _frames(call.service.blobs, body.keys, sizes, call.install(body.keys[0]))
    return StreamingResponse(frames, headers=headers, media_type="application/octet-stream")


def _require_readable(call: Call, keys: list[str] | tuple[str, ...]) -> dict[str, int]:
    with call.service.database.reading() as connection:
        found = recipes.readable(connection, [key for key in keys if is_key(key)])
    if lost := next((key for key in keys if key not in found), None):
        raise NotFound("There is no such segment", where=lost[:140])
    return found


def _opened(blobs: DiskBlobs, key: str) -> WholeReader:
    try:
        return WholeReader(blobs.path(key))
    except FileNotFoundError:
        raise NotFound("This segment is lost", where=key, hint="tell the operator") from None


def _frames(
    blobs: Blobs, keys: tuple[str, ...], sizes: dict[str, int], tell: Callable[[int], None] | None
) -> Iterator[bytes]:
    """Each blob behind its length; `tell` hears once, before the last goes out, what is sent."""
    sent = 0
    try:
        for number, key in enumerate(keys):
            blob = blobs.get(key)
            if len(blob) != sizes[key]:
                raise OSError(f"the segment {key} has {len(blob)} bytes instead of {sizes[key]}")
            if number == len(keys) - 1 and tell:
                tell(sent + len(blob))
                tell = None
            yield struct.pack(">I", len(blob)) + blob
            sent += len(blob)
    finally:
        if tell:
            tell(sent)
