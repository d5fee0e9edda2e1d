"""A registry of Modelshelf as a catalogue: all of its packages, over its API.

    read("registry:https://models.example")

The registry tells its releases in parts of a few hundred, so that a hundred thousand packages are
some hundreds of requests. It is foreign: what it sends is bounded and checked.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from modelshelf.errors import NetworkError, NotFound, ShelfError, UsageError
from modelshelf.importers import Importer, Progress
from modelshelf.package import name as names
from modelshelf.package.catalogue import Catalogue, CataloguePart, Described, HubPublisher, Page
from modelshelf.package.version import Version
from modelshelf.store.deadline import deadline

PATH = "/api/v1/catalogue"
most_part_bytes = 64 << 20
most_bytes = 4 << 30
"""So much all parts may be together: they are held in memory."""
most_releases = 5_000_000
timeout_seconds = 30.0
"""So long the registry may be silent."""
part_seconds = 300.0
"""So long one part may take."""
_Key = tuple[str, Version]


class _Told(NamedTuple):
    """All that the registry said."""

    releases: list[Described]
    publishers: dict[str, HubPublisher]
    provides: tuple[str, ...]


def read_registry(place: str, progress: Progress) -> Catalogue:
    """Everything that the registry at the address `place` knows.

    Raises UsageError for what is no address, NotFound where there is no registry that tells its
    catalogue, NetworkError where it cannot be reached or does not speak as expected.
    """
    told = _Told([], {}, ())
    with closing(_connection(address := _address(place))) as connection:
        for part in _parts(connection, address, progress):
            told.releases.extend(part.releases)
            told.publishers.update((each.name, each) for each in part.publishers)
            told = told._replace(provides=part.provides)
    return _catalogue(place, told)


def _catalogue(place: str, told: _Told) -> Catalogue:
    pages: list[Page] = []
    taken: dict[_Key, Described] = {}
    for each in told.releases:
        key, wrong = _key(each)
        if key is not None and key not in taken:
            taken[key] = each
            pages.append(Page(each.page, "imported", "Release", each.handle))
        else:
            reason = wrong or "it was told twice"
            pages.append(Page(each.page, "skipped", "Release", each.handle, reason=reason))
    releases = tuple(taken[key] for key in sorted(taken))
    owners = {each.record.package.name.partition("/")[0] for each in releases}
    return Catalogue(
        hub="registry",
        specification=f"registry:{place}",
        releases=releases,
        pages=tuple(pages),
        publishers=tuple(told.publishers[name] for name in sorted(owners & told.publishers.keys())),
        provides=told.provides,
    )


def _key(release: Described) -> tuple[_Key | None, str]:
    """What a release is sorted by, or what is wrong with its name."""
    package = release.record.package
    if wrong := names.problem(package.name):
        return None, wrong
    if not release.record.variants:
        return None, "it has no variants"
    try:
        return (package.name, Version.parse(package.version)), ""
    except ShelfError as error:
        return None, error.message


def _parts(
    connection: http.client.HTTPConnection, address: SplitResult, progress: Progress
) -> Iterator[CataloguePart]:
    after, count, total, seen, left = "", 0, 0, set[str](), most_bytes
    while True:
        body = _answer(connection, address, after, min(left, most_part_bytes))
        part = _part(body, address)
        left -= len(body)
        count += len(part.releases)
        total = max(part.total or total, count)
        progress(count, total)
        yield part
        if part.next is None:
            return
        if part.next in seen or not part.releases or count > most_releases:
            raise NetworkError(
                "The registry's catalogue has no end", where=address.geturl(), got=part.next[:80]
            )
        seen.add(after := part.next)


def _part(body: bytes, address: SplitResult) -> CataloguePart:
    try:
        return msgspec.json.decode(body, type=CataloguePart)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NetworkError(
            "The registry does not speak as expected", where=address.geturl(), got=str(error)[:200]
        ) from None


def _answer(
    connection: http.client.HTTPConnection, address: SplitResult, after: str, most: int
) -> bytes:
    path = f"{address.path.rstrip('/')}{PATH}" + (f"?after={quote(after)}" if after else "")
    try:
        if connection.sock is None:
            connection.connect()
        with deadline(connection, part_seconds, address.geturl()):
            connection.request("GET", path, headers=_HEADERS)
            with connection.getresponse() as response:
                body = _body(response, address, most)
                status = response.status
    except (OSError, http.client.HTTPException) as error:
        raise NetworkError(
            "The registry cannot be reached", where=address.geturl(), got=str(error)[:200] or None
        ) from error
    if status != 200:
        raise _refused(status, body, address)
    return body


def _body(response: http.client.HTTPResponse, address: SplitResult, most: int) -> bytes:
    content = bytearray()
    while chunk := response.read1(1 << 18):
        content += chunk
        if len(content) > most:
            raise NetworkError(
                "A part of the registry's catalogue is too large",
                where=address.geturl(),
                expected=f"at most {most} bytes",
                got=f"{len(content)} bytes",
            )
    return bytes(content)


def _refused(status: int, body: bytes, address: SplitResult) -> ShelfError:
    if status == 404:
        return NotFound(
            "Here is no registry that tells its catalogue",
            where=address.geturl(),
            hint="check the address; registries before this version do not tell it",
        )
    try:
        message = str(json.loads(body[:100_000])["message"])[:200]
    except (ValueError, LookupError, TypeError, RecursionError):
        message = None
    return NetworkError(
        f"The registry answered with status {status}", where=address.geturl(), got=message
    )


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(str(address.hostname), address.port, timeout=timeout_seconds)


def _address(place: str) -> SplitResult:
    try:
        parts = urlsplit(place)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or "@" in place or parts.query or parts.fragment or not place.isprintable():
        raise UsageError(
            "This is not the address of a registry", expected="https://HOST", got=place[:200]
        )
    return parts


_HEADERS = {"User-Agent": "modelshelf", "Accept": "application/json"}
IMPORTER = Importer("registry", "URL", "a registry of Modelshelf, over its API", read_registry)
