"""The registry's own catalogue: every release as importers read those of any hub, part by part.

What a publisher declared is a label; what was read from the files or seen by the registry is found
there. Of imported releases it is told where on their hub's page each fact was.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, Row, Select, func, select, tuple_

from modelshelf.errors import UsageError
from modelshelf.package.catalogue import CataloguePart, Described, Found, HubPublisher
from modelshelf.package.elements import declared_places
from modelshelf.package.entry import Entry, Scan
from modelshelf.package.record import Record, Variant
from modelshelf.registry import tables
from modelshelf.registry.derived import LARGEST_README_BYTES
from modelshelf.registry.imported import Imported
from modelshelf.registry.raw import RawFiles

MOST_RELEASES = 200
MOST_BYTES = 4 << 20
"""A part ends where its records and texts are as many, or one release later."""
PROVIDES = ("downloads", "version-alert", "release-history", "dependents")
"""What the registry shows of every release."""
_IMPORTED = msgspec.json.Decoder(Imported)
_OF_FILES = ("published-time", "size", "downloadable", "review-mechanism", "vulnerability-report")
"""What it can show only where it has the files."""

_Row = Row[tuple[object, ...]]
_Cursor = tuple[str, str, int]


def part(connection: Connection, raw: RawFiles, base_url: str, after: str | None) -> CataloguePart:
    """The releases behind the one that `after` names, in no order that matters."""
    of = tables.releases.c
    cursor = _cursor(after) if after else None
    query = _query().order_by(of.publisher, of.name, of.number).limit(MOST_RELEASES)
    if cursor:
        query = query.where(tuple_(of.publisher, of.name, of.number) > cursor)
    found: list[Described] = []
    size, last = 0, None
    for row in connection.execute(query):
        found.append(_described(row, raw, base_url))
        size += len(row.record) + len(found[-1].text)
        last = row
        if size >= MOST_BYTES:
            break
    more = size >= MOST_BYTES or len(found) == MOST_RELEASES
    return CataloguePart(
        releases=tuple(found),
        publishers=tuple(_publishers(connection, found)),
        provides=PROVIDES,
        next=f"{last.publisher}/{last.name}/{last.number}" if more and last else None,
        total=None if after else connection.execute(select(func.count(of.number))).scalar_one(),
    )


def _query() -> Select[tuple[object, ...]]:
    of, by = tables.releases.c, tables.imports.c
    same = (by.publisher == of.publisher) & (by.name == of.name) & (by.version == of.version)
    return select(
        of.publisher, of.name, of.version, of.number, of.record, of.entry, of.facts, of.described,
        of.verdict, of.rules, of.decision, by.body,
    ).outerjoin_from(tables.releases, tables.imports, same)  # fmt: skip


def _cursor(after: str) -> _Cursor:
    publisher, _, rest = after.partition("/")
    name, _, number = rest.partition("/")
    if not (publisher and name and number.isascii() and number.isdigit() and len(number) < 10):
        raise UsageError("This names no part of the catalogue", got=after[:200])
    return publisher, name, int(number)


def _described(row: _Row, raw: RawFiles, base_url: str) -> Described:
    record = msgspec.json.decode(row.record, type=Record)
    entry = msgspec.json.decode(row.entry, type=Entry)
    said = _IMPORTED.decode(zlib.decompress(row.body)) if row.body else None
    name = f"{row.publisher}/{row.name}/{row.version}"
    scan = Scan(row.verdict, row.rules, row.decision) if row.verdict else None
    withheld = "blocked by the registry's scanner" if scan and scan.withholds else None
    return Described(
        record=_without_files(record, is_imported=said is not None),
        handle=entry.upstream.handle if entry.upstream else name,
        url=entry.upstream.url if entry.upstream else f"{base_url}/{name}",
        page=name,
        text=_text(raw, record, entry),
        found=_found(row, record, said.found if said else None),
        labels=said.labels if said else {},
        assets=said.assets if said else (),
        gone=withheld or (entry.upstream.gone if entry.upstream else None),
    )


def _text(raw: RawFiles, record: Record, entry: Entry) -> str:
    path = record.package.readme
    sha256 = next((file.sha256 for file in entry.files if file.path == path), None)
    content = raw.head(sha256, LARGEST_README_BYTES) if sha256 else None
    return (content or b"").decode(errors="replace")


def _without_files(record: Record, *, is_imported: bool) -> Record:
    """The record as a catalogue has it: whoever reads it cannot reach the files by their names.

    The text of an imported release became a file only here.
    """
    package = record.package
    if is_imported:
        package = msgspec.structs.replace(package, readme=None)
    variants = tuple(map(_bare, record.variants))
    return msgspec.structs.replace(record, package=package, variants=variants, golden=())


def _bare(variant: Variant) -> Variant:
    artifacts = tuple(msgspec.structs.replace(each, files=()) for each in variant.artifacts)
    return msgspec.structs.replace(variant, artifacts=artifacts)


def _found(row: _Row, record: Record, upstream: dict[str, Found] | None) -> dict[str, Found]:
    found = (
        dict(upstream)
        if upstream
        else dict.fromkeys(sorted(declared_places(record)), Found("label"))
    )
    facts: dict[str, object] = msgspec.json.decode(row.facts) if row.facts else {}
    for element, fact in facts.items():
        if fact is not None:
            found.setdefault(element, Found("file"))
    if not row.described:
        found |= dict.fromkeys(_OF_FILES, Found("hub"))
    return found


def _publishers(connection: Connection, found: list[Described]) -> Iterator[HubPublisher]:
    names = {each.record.package.name.partition("/")[0] for each in found}
    query = select(tables.publishers).where(tables.publishers.c.name.in_(sorted(names)))
    for row in connection.execute(query):
        yield HubPublisher(row.name, row.name, row.display or row.name, row.kind)
