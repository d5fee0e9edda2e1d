"""The rows that described releases are made of, many in one transaction."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from modelshelf.checks.contract import READERS_VERSION, Contract
from modelshelf.package import name as names
from modelshelf.package.catalogue import HubPublisher
from modelshelf.package.entry import Change, Entry
from modelshelf.package.record import Record
from modelshelf.registry import (
    clock,
    handles,
    jobs,
    recipes,
    release_rows,
    staging,
    tables,
)
from modelshelf.registry.contracts import Key, Step, by_key
from modelshelf.registry.handles import Named
from modelshelf.registry.importing.names import ACCOUNT, images
from modelshelf.registry.importing.texts import Text
from modelshelf.registry.jobs import REFRESH_ALL

NO_PASSWORD = "!"  # noqa: S105 (no hash: nothing matches it)
_KEY = ("publisher", "name", "version")


class Made(NamedTuple):
    """One described release, ready to be written; `anew` where it was not here before."""

    key: Key
    entry: Entry
    record: Record
    texts: tuple[Text, ...]
    said: dict[str, object]
    """Its row of the table `imports`."""
    names: tuple[Named, ...]
    anew: bool

    @property
    def release(self) -> dict[str, str]:
        """The columns that name it."""
        return by_key(self.key)


class Moved(NamedTuple):
    """What a release is to the one before it, as it has to be written."""

    key: Key
    change: Change | None
    step: Step


class Batch(NamedTuple):
    """What one transaction writes: whole packages only."""

    publishers: tuple[HubPublisher, ...]
    new_packages: tuple[str, ...]
    releases: tuple[Made, ...]
    moved: tuple[Moved, ...]
    touched: tuple[str, ...]
    """The packages of which everything derived must be made anew."""


def account(connection: Connection) -> None:
    """Make the account that imports publish as, which nobody can log in to."""
    query = select(tables.accounts.c.name).filter_by(name=ACCOUNT)
    if connection.execute(query).first() is None:
        row = {"name": ACCOUNT, "password": NO_PASSWORD, "created": clock.now()}
        connection.execute(insert(tables.accounts), row)


def write(connection: Connection, batch: Batch) -> None:
    """Write all rows of a batch, and a job for what is derived from them.

    Raises what the database raises where someone took a name or a version meanwhile.
    """
    _write_names(connection, batch)
    anew = [each for each in batch.releases if each.anew]
    rest = [each for each in batch.releases if not each.anew and _still(connection, each)]
    _write_releases(connection, anew, rest)
    _write_files(connection, [*anew, *rest])
    release_rows.insert_dependencies(
        connection, [(each.release, each.entry) for each in (*anew, *rest)]
    )
    _write_contracts(connection, [*anew, *rest])
    handles.add(connection, [named for each in (*anew, *rest) for named in each.names])
    _write_moves(connection, batch.moved)
    jobs.enqueue(connection, REFRESH_ALL, {"packages": " ".join(batch.touched)})


def _still(connection: Connection, each: Made) -> bool:
    """Whether a release is still one that is only described."""
    query = select(tables.releases.c.described).filter_by(**each.release)
    return bool(connection.execute(query).scalar())


def _write_names(connection: Connection, batch: Batch) -> None:
    since = clock.now()
    taken = [("publisher", names.folded(each.name), each.name) for each in batch.publishers]
    taken += [(*image, full) for full in batch.new_packages for image in images(full)]
    _insert(
        connection,
        tables.names,
        [
            {"space": space, "image": image, "owner": owner, "since": since}
            for space, image, owner in taken
        ],
    )
    for each in batch.publishers:
        row = {"name": each.name, "kind": each.kind, "display": each.display, "created": since}
        connection.execute(insert(tables.publishers), row)
        member = {"publisher": each.name, "account": ACCOUNT, "role": "owner"}
        connection.execute(insert(tables.members), member)
    packages = [names.parse(full) for full in batch.new_packages]
    _insert(
        connection,
        tables.packages,
        [
            {"publisher": publisher, "name": name, "status": "active", "created": since}
            for publisher, name in packages
        ],
    )


def _write_releases(connection: Connection, anew: Sequence[Made], rest: Sequence[Made]) -> None:
    _insert(
        connection,
        tables.versions,
        [
            {
                **each.release,
                "version": staging.version_key(each.entry.version),
                "since": each.entry.published,
            }
            for each in anew
        ],
    )
    _insert(connection, tables.releases, [_row(each) for each in anew])
    for each in rest:
        connection.execute(update(tables.releases).filter_by(**each.release).values(_row(each)))
    for table in (tables.release_files, tables.dependencies, tables.contracts, tables.imports):
        _forget(connection, table, [each.release for each in rest])
    _insert(connection, tables.imports, [each.said for each in (*anew, *rest)])


def _row(each: Made) -> dict[str, object]:
    return {
        **each.release,
        "number": each.entry.number,
        "commit": each.entry.commit,
        "manifest": each.entry.manifest,
        "record": msgspec.json.encode(each.record),
        "entry": msgspec.json.encode(each.entry),
        "published": each.entry.published,
        "account": ACCOUNT,
        "described": True,
    }


def _write_files(connection: Connection, made: Sequence[Made]) -> None:
    texts = {text.hashes.sha256: text for each in made for text in each.texts}
    known = staging.published(connection, [*texts])
    now = clock.now()
    _insert(
        connection,
        tables.blobs,
        [
            {**text.hashes._asdict(), "created": now}
            for sha256, text in texts.items()
            if sha256 not in known
        ],
    )
    recipes.keep_all(connection, {sha256: text.recipe for sha256, text in texts.items()})
    _insert(
        connection,
        tables.release_files,
        [
            {**each.release, "path": file.path, "sha256": file.sha256}
            for each in made
            for file in each.entry.files
        ],
    )


def _write_contracts(connection: Connection, made: Sequence[Made]) -> None:
    rows = [
        {
            **each.release,
            "body": zlib.compress(msgspec.json.encode(Contract(each.record))),
            "readers": READERS_VERSION,
        }
        for each in made
    ]
    _insert(connection, tables.contracts, rows)


def _write_moves(connection: Connection, moved: Sequence[Moved]) -> None:
    of = tables.releases.c
    statement = (
        update(tables.releases)
        .where(*(of[column] == bindparam(f"its_{column}") for column in _KEY), of.described)
        .values(change=bindparam("its_change"), step=bindparam("its_step"))
    )
    rows = [
        {
            **{f"its_{column}": value for column, value in by_key(each.key).items()},
            "its_change": msgspec.json.encode(each.change) if each.change else None,
            "its_step": msgspec.json.encode(each.step),
        }
        for each in moved
    ]
    if rows:
        connection.execute(statement, rows)


def _insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
    if listed := [*rows]:
        connection.execute(insert(table), listed)


def _forget(connection: Connection, table: Table, keys: Sequence[Mapping[str, str]]) -> None:
    statement = delete(table).where(*(table.c[each] == bindparam(f"its_{each}") for each in _KEY))
    if keys:
        connection.execute(
            statement, [{f"its_{each}": value for each, value in key.items()} for key in keys]
        )
