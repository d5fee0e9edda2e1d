"""What each described release is to the one before it, as far as descriptions can tell.

Nobody saw the weights. A hub gives out a new version because something moved: so the step counts as
a minor one at least, and as unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from sqlalchemy import Connection, select

from modelshelf.checks.contract import Contract
from modelshelf.package import name as names
from modelshelf.package.entry import LEVELS, Change, Entry, predecessor
from modelshelf.package.record import Record
from modelshelf.registry import contracts, tables
from modelshelf.registry.contracts import Step
from modelshelf.registry.importing.rows import Made, Moved

_LEAST = LEVELS.index("minor")


def moved(connection: Connection, full: str, made: Iterable[Made], *, anew: bool) -> list[Moved]:
    """The steps of all described releases of a package, of which `made` are about to be written."""
    publisher, name = names.parse(full)
    entries: dict[str, Entry] = {}
    records: dict[str, Record] = {}
    if not anew:
        for entry, record in _kept(connection, publisher, name):
            entries[entry.version], records[entry.version] = entry, record
    for each in made:
        entries[each.entry.version], records[each.entry.version] = each.entry, each.record
    return [
        Moved((publisher, name, version), *_step(version, entries, records))
        for version, entry in entries.items()
        if entry.described
    ]


def _kept(connection: Connection, publisher: str, name: str) -> Iterator[tuple[Entry, Record]]:
    columns = tables.releases.c
    query = select(columns.entry, columns.record, columns.yanked)
    for row in connection.execute(query.filter_by(publisher=publisher, name=name)):
        entry = msgspec.json.decode(row.entry, type=Entry)
        record = msgspec.json.decode(row.record, type=Record)
        yield msgspec.structs.replace(entry, yanked=row.yanked), record


def _step(
    version: str, entries: Mapping[str, Entry], records: Mapping[str, Record]
) -> tuple[Change | None, Step]:
    before = predecessor(entries.values(), version, described=True)
    if before is None:
        return None, Step()
    # without files on either side: what one has and the other lacks says nothing
    old, new = Contract(records[before.version]), Contract(records[version])
    change, step = contracts.moved(old, new, None)
    if change is not None:
        level = LEVELS[max(LEVELS.index(change.level), _LEAST)]
        change = msgspec.structs.replace(change, level=level, unverified=True)
    return change, step
