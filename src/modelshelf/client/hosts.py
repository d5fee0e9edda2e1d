"""Where the bytes of segments are asked for: at the registry, or wherever it says that they lie."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from modelshelf.client.arriving import Response
from modelshelf.client.http import Connection
from modelshelf.errors import NetworkError, NotFound, UsageError

_MOST_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {403, 408, 425, 429}
"""Refused now, perhaps not in a moment: 403 says that a signed address was valid too long ago."""
_ADDRESS = "/%:=&?~+!$,;'@()*[]"
FRESH = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
"""Asks for what no cache on the way has kept."""


class Offer(msgspec.Struct, frozen=True):
    """What of `/config.json` concerns us."""

    segments: str = "/segments/{key}"
    bundles: bool = False
    raw: bool = False


class Body:
    """Bytes that arrive: those of a whole of `total` bytes from `start` on; read by one thread."""

    def __init__(self, http: Connection, response: Response, start: int, total: int | None) -> None:
        self._http = http
        self._response = response
        self.start = start
        self.total = total
        """None where the server does not say."""

    def read(self, into: memoryview) -> int:
        """Fill `into`, less at the end of the body. Raises NetworkError."""
        return self._http.read(self._response, into)

    def read_some(self, into: memoryview) -> int:
        """The same, but only what has come already; nothing at the end of the body."""
        return self._http.read(self._response, into, some=True)

    def end(self) -> None:
        """Be done with a body that was read as far as it is of use."""
        if self._response.length != 0 and self._http.read(self._response, memoryview(bytearray(1))):
            self.drop()

    def drop(self) -> None:
        """Give up a body that is of no use."""
        self._http.close()


class Hosts:
    """The registry behind `http`, and the hosts that it refers to, which get no token of ours.

    `headers` go with every request to the registry itself.
    """

    def __init__(self, http: Connection, headers: Mapping[str, str]) -> None:
        self._http = http
        self._headers = dict(headers)
        self._others: dict[str, Connection] = {}
        self._turn = threading.Lock()

    @property
    def offer(self) -> Offer:
        """What the registry offers; it is asked once."""
        told = self._http.once("/config.json")
        try:
            return msgspec.json.decode(told, type=Offer)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NetworkError(
                f"the registry's description of itself cannot be read: {error}",
                where=f"{self._http.base}/config.json",
            ) from None

    def segment(self, key: str, start: int = 0, *, fresh: bool = False) -> Body:
        """A blob from byte `start` on, or from 0. Raises NotFound, NetworkError."""
        address = self.offer.segments.replace("{prefix}", key[:2]).replace("{key}", key)
        if address.startswith("/"):
            address = self._http.base + address
        asked = {"Range": f"bytes={start}-"} if start else {}
        http, response = self._followed(address, asked | (FRESH if fresh else {}))
        # some object stores say 200 and send the part all the same
        if response.status != 206 and not response.getheader("Content-Range"):
            return Body(http, response, 0, response.length)
        return Body(http, response, *_range(http, response))

    def part(self, sha256: str, start: int, size: int, skipped: int = 0) -> Body:
        """`size` raw bytes of a file from `start` on, without the first `skipped`."""
        first = start + skipped
        asked = {"Range": f"bytes={first}-{start + size - 1}"}
        http, response = self._followed(f"{self._http.base}/files/{sha256}", asked)
        if response.status != 206 or _range(http, response)[0] != first:
            http.close()
            raise NotFound("the registry does not send parts of files", where=sha256)
        return Body(http, response, skipped, size)

    def bundle(self, keys: Iterable[str]) -> Body:
        """Several blobs, each after its length (4 bytes, the highest first)."""
        body = json.dumps({"keys": list(keys)}).encode()
        response = self._http.open("POST", "/segments", body, self._headers)
        _require_served(self._http, response, ours=True)
        return Body(self._http, response, 0, response.length)

    def _followed(self, address: str, asked: Mapping[str, str]) -> tuple[Connection, Response]:
        """What is at the address, or at the one that it refers to."""
        for _ in range(_MOST_REDIRECTS + 1):
            http, path = self._located(address)
            ours = http is self._http
            response = http.open("GET", path, None, {**asked, **(self._headers if ours else {})})
            if response.status not in _REDIRECTS:
                _require_served(http, response, ours=ours)
                return http, response
            http.read(response, memoryview(bytearray(64 << 10)))
            if response.length != 0:
                http.close()
            address = _joined(address, response.getheader("Location", ""))
        raise NetworkError("a segment is sent from place to place", where=address[:200])

    def _located(self, address: str) -> tuple[Connection, str]:
        """Whom to ask for an address, and for what."""
        if address.startswith(self._http.base + "/"):
            return self._http, quote(address[len(self._http.base) :], safe=_ADDRESS)
        try:
            parts = urlsplit(address)
            origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            with self._turn:
                if origin not in self._others:
                    self._others[origin] = self._http.elsewhere(origin)
                other = self._others[origin]
        except (ValueError, UsageError):
            raise NetworkError(
                "the registry says that a segment lies nowhere", got=address[:200]
            ) from None
        query = f"?{parts.query}" if parts.query else ""
        return other, quote((parts.path or "/") + query, safe=_ADDRESS)


def _joined(address: str, reference: str) -> str:
    try:
        return urljoin(address, reference)
    except ValueError:
        return reference


def _require_served(http: Connection, response: Response, *, ours: bool) -> None:
    """Raise NotFound where it is not, NetworkError where another attempt may help."""
    status = response.status
    if status < 400:
        return
    if ours and status not in {404, 410, *_PASSING} and status < 500:
        http.refuse(response)
    http.close()
    if status in {404, 410}:
        raise NotFound("there is no such segment", where=http.base)
    raise NetworkError(f"a segment is not to be had: status {status}", where=http.base)


def _range(http: Connection, response: Response) -> tuple[int, int | None]:
    """First byte and whole size, as a response with a part of something tells them."""
    told = response.getheader("Content-Range", "")
    match = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", told.strip())
    if match is None:
        http.close()
        raise NetworkError("a part is sent that says not of what", where=http.base, got=told[:80])
    return int(match[1]), None if match[2] == "*" else int(match[2])
