"""Files fetched from a hub over http or https, within bounds of size and time.

The addresses stand on pages of strangers: those that lead into private networks are refused unless
the operator allows them, by the address that was connected to, so that no name can lead astray.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import ssl
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from modelshelf.errors import Invalid, NetworkError, Refused
from modelshelf.registry.imported import Fetched
from modelshelf.store.deadline import deadline

MOST_BYTES = 8 << 30
PATIENCE_SECONDS = 30.0
"""So long a server may say nothing."""
LONGEST_SECONDS = 3600.0
REDIRECTS = 5
_BLOCK_BYTES = 1 << 20
_WRITTEN = "".join(map(chr, range(0x21, 0x7F)))
"""Letters that stay as they stand in an address; others are written as bytes of UTF-8."""
_MOVED = (301, 302, 303, 307, 308)


class Bounds(NamedTuple):
    """What a fetch may cost, and whether it may ask addresses that are not of the public internet."""

    most_bytes: int = MOST_BYTES
    seconds: float = LONGEST_SECONDS
    private: bool = False


def fetch(url: str, target: Path, bounds: Bounds) -> Fetched:
    """Bring the file at `url` to `target`. Raises NetworkError, Refused, Invalid."""
    asked = url
    until = time.monotonic() + bounds.seconds
    for _ in range(REDIRECTS + 1):
        connection = _connected(asked, bounds)
        try:
            with (
                deadline(connection, until - time.monotonic(), asked[:300]),
                _answer(connection, asked) as answer,
            ):
                if answer.status in _MOVED and (location := answer.getheader("Location")):
                    asked = urljoin(asked, location)
                    continue
                if answer.status != 200:
                    raise NetworkError(f"the hub answers {answer.status}", where=asked[:300])
                return _received(answer, url, target, bounds)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NetworkError(f"the file did not arrive: {error}", where=asked[:300]) from error
        finally:
            connection.close()
    raise NetworkError("the hub sends from one address to the next", where=url[:300])


def _connected(url: str, bounds: Bounds) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("this is no address to fetch from", where=url[:300])
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname,
                parts.port,
                timeout=PATIENCE_SECONDS,
                context=ssl.create_default_context(),
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname, parts.port, timeout=PATIENCE_SECONDS
            )
        connection.connect()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NetworkError(f"the hub cannot be reached: {error}", where=url[:300]) from error
    if not bounds.private and not _is_public(connection):
        connection.close()
        raise Refused(
            "the address is not one of the public internet",
            where=url[:300],
            hint="allow it with --private-addresses",
        )
    return connection


def _is_public(connection: http.client.HTTPConnection) -> bool:
    assert connection.sock is not None
    peer = str(connection.sock.getpeername()[0]).partition("%")[0]
    address = ipaddress.ip_address(peer)
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global)


def _answer(connection: http.client.HTTPConnection, url: str) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path = quote(path, safe=_WRITTEN)
    connection.request("GET", path, headers={"Accept": "*/*", "User-Agent": "modelshelf"})
    return connection.getresponse()


def _received(answer: http.client.HTTPResponse, url: str, target: Path, bounds: Bounds) -> Fetched:
    """Write the body as it comes; more than the bounds allow ends it."""
    too_much = Invalid("the file is too large", where=url[:300], expected=bounds.most_bytes)
    if (answer.length or 0) > bounds.most_bytes:
        raise too_much
    digest = hashlib.sha256()
    size = 0
    with target.open("xb") as file:
        while block := answer.read1(_BLOCK_BYTES):
            size += len(block)
            if size > bounds.most_bytes:
                raise too_much
            digest.update(block)
            file.write(block)
    if answer.length:
        raise NetworkError("the file was cut off", where=url[:300], got=size)
    return Fetched(url, size, digest.hexdigest())
