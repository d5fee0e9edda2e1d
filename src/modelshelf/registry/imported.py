"""What another hub said of a release: where each fact stands on its page, its labels, its assets."""

from __future__ import annotations

import hashlib
import zlib

import msgspec
from sqlalchemy import Connection, select, update

from modelshelf.package.catalogue import Asset, Described, Found
from modelshelf.package.record import canonical
from modelshelf.registry import clock, tables
from modelshelf.registry.contracts import Key, by_key


class Fetched(msgspec.Struct, frozen=True):
    """A file that was fetched from the hub: its address, its bytes, and their sha256."""

    url: str
    size: int
    sha256: str


class Imported(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the hub said of a release, beside its record and its text, and when that was read.

    `page` is its file in the catalogue; `found`, `labels` and `assets` are those of
    `package.catalogue.Described`. `fetched` is where the files came from, if they did.
    """

    page: str = ""
    found: dict[str, Found] = {}
    labels: dict[str, tuple[str, ...]] = {}
    assets: tuple[Asset, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    moment: str = ""


_BODY = msgspec.json.Decoder(Imported)


def of(described: Described) -> Imported:
    """What is kept of a release of a catalogue."""
    return Imported(
        page=described.page,
        found=described.found,
        labels=described.labels,
        assets=described.assets,
    )


def digest(described: Described) -> str | None:
    """The same for the same content, wherever its page lies; None where that is no Unicode."""
    try:
        content = canonical.encode(msgspec.structs.replace(described, page=""))
    except UnicodeEncodeError:
        return None
    return hashlib.sha256(content).hexdigest()


def row(key: Key, hub: str, handle: str, digest: str, said: Imported) -> dict[str, object]:
    """The row of the table `imports`."""
    moment = clock.now()
    return {
        **by_key(key),
        "hub": hub,
        "handle": handle,
        "digest": digest,
        "body": _packed(said),
        "imported": moment,
    }


def find(connection: Connection, key: Key) -> Imported | None:
    """What another hub said of a release; None where it comes from no other hub."""
    columns = tables.imports.c
    query = select(columns.body, columns.imported).filter_by(**by_key(key))
    found = connection.execute(query).first()
    if found is None:
        return None
    said = _BODY.decode(zlib.decompress(found.body))
    return msgspec.structs.replace(said, moment=found.imported)


def note_fetched(connection: Connection, key: Key, fetched: tuple[Fetched, ...]) -> None:
    """Write down where the files of a release came from; what was found on the page stays."""
    if (said := find(connection, key)) is not None:
        body = _packed(msgspec.structs.replace(said, fetched=fetched, moment=""))
        connection.execute(update(tables.imports).filter_by(**by_key(key)).values(body=body))


def _packed(said: Imported) -> bytes:
    return zlib.compress(msgspec.json.encode(said))
