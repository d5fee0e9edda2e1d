"""Contracts kept with their releases, and what each release is to the one before it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from modelshelf.checks.contract import READERS_VERSION, Contract
from modelshelf.checks.diff import Diff, diff, suffices
from modelshelf.checks.notes import MetricChange, metric_changes
from modelshelf.errors import NotFound
from modelshelf.package.entry import Change, Entry, predecessor
from modelshelf.package.version import Version
from modelshelf.registry import tables

MAIN_COUNT = 5
"""How many changes of a release its package's history tells."""
MESSAGE_CHARACTERS = 300
METRIC_COUNT = 10
IN_METRICS = ("metric-improved", "metric-slipped")
"""Lints whose findings are told as metrics."""
Key = tuple[str, str, str]
"""Publisher, name and version of a release."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the history of a package says of one release.

    `main` are its largest changes, `more` how many others there are; `metrics` those that moved.
    """

    main: tuple[str, ...] = ()
    more: int = 0
    metrics: tuple[MetricChange, ...] = ()


def by_key(key: Key) -> dict[str, str]:
    """The columns that name a release."""
    return dict(zip(("publisher", "name", "version"), key, strict=True))


def keep(connection: Connection, key: Key, contract: Contract) -> None:
    """Keep the contract of a release, instead of one that older readers made."""
    body = zlib.compress(msgspec.json.encode(contract))
    connection.execute(delete(tables.contracts).filter_by(**by_key(key)))
    row = {**by_key(key), "body": body, "readers": READERS_VERSION}
    connection.execute(insert(tables.contracts), row)


def is_current(connection: Connection, key: Key) -> bool:
    """Whether a contract is kept that the readers of today made."""
    query = select(tables.contracts.c.readers).filter_by(**by_key(key))
    return connection.execute(query).scalar() == READERS_VERSION


def body(connection: Connection, key: Key) -> bytes | None:
    """The JSON of a release's contract; None where the readers of today made none yet."""
    query = select(tables.contracts.c.body).filter_by(**by_key(key), readers=READERS_VERSION)
    found = connection.execute(query).scalar()
    return None if found is None else zlib.decompress(found)


def load(connection: Connection, key: Key) -> Contract:
    """The contract of a release; raises NotFound where none is kept."""
    return msgspec.json.decode(required(connection, key), type=Contract)


def required(connection: Connection, key: Key) -> bytes:
    """The JSON of a release's contract; raises NotFound where none is kept."""
    found = body(connection, key)
    if found is None:
        raise NotFound(
            "The contract of this release is not known yet",
            where=f"{key[0]}/{key[1]}@{key[2]}"[:200],
            hint="it is made soon after the registry has started",
        )
    return found


def before(entries: Iterable[Entry], version: str) -> str | None:
    """The version that `version` is compared with."""
    found = predecessor(entries, version)
    return found.version if found else None


def moved(old: Contract | None, new: Contract, override: str | None) -> tuple[Change | None, Step]:
    """What changed since the release before, if there is one: for the index, and for the history.

    An override is told only where it overrides something.
    """
    if old is None:
        return None, Step()
    found = diff(old, new)
    change = Change(
        previous=found.old,
        level=found.level,
        axes=found.axes,
        unverified=found.unverified,
        override=None if enough(found) else override,
    )
    told = [each for each in found.findings if each.lint not in IN_METRICS]
    main = tuple(each.message[:MESSAGE_CHARACTERS] for each in told[:MAIN_COUNT])
    metrics = tuple(
        each
        for each in metric_changes(old.record.variants, new.record.variants)
        if each.better is not None
    )
    return change, Step(main, len(told) - len(main), metrics[:METRIC_COUNT])


def enough(found: Diff) -> bool:
    """Whether the version is as large a step as the changes ask for; after a pre-release any is."""
    return bool(Version.parse(found.old).prerelease) or suffices(found.old, found.new, found.level)


def keep_step(connection: Connection, key: Key, change: Change | None, step: Step) -> None:
    """Keep what moved with the release."""
    values = {
        "change": msgspec.json.encode(change) if change else None,
        "step": msgspec.json.encode(step),
    }
    connection.execute(update(tables.releases).filter_by(**by_key(key)).values(values))


def steps(connection: Connection, publisher: str, name: str) -> dict[str, Step]:
    """What the history says of each release of a package, by version."""
    columns = tables.releases.c
    query = select(columns.version, columns.step).filter_by(publisher=publisher, name=name)
    return {
        row.version: msgspec.json.decode(row.step, type=Step) if row.step else Step()
        for row in connection.execute(query)
    }


def step(connection: Connection, key: Key) -> Step | None:
    """What the history says of a release; None where it was not compared yet."""
    query = select(tables.releases.c.step).filter_by(**by_key(key))
    found = connection.execute(query).scalar()
    return None if found is None else msgspec.json.decode(found, type=Step)
