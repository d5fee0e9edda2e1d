"""The rows that make a release: its package, its files and what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, func, insert, select

from modelshelf.package import name as names
from modelshelf.package.entry import Entry, File, commit_name
from modelshelf.registry import accounts, clock, staging, tables
from modelshelf.registry.staging import Session
from modelshelf.store.digest import Hashes


def entry(
    connection: Connection, session: Session, files: tuple[File, ...], manifest: str
) -> Entry:
    """The index line of a release about to be published, with its number."""
    columns = tables.releases.c
    newest = select(func.coalesce(func.max(columns.number), 0)).where(
        columns.publisher == session.publisher, columns.name == session.name
    )
    record = session.record
    return Entry(
        name=record.package.name,
        version=session.version,
        commit=commit_name(files),
        number=connection.execute(newest).scalar_one() + 1,
        manifest=manifest,
        published=clock.now(),
        files=files,
        variants=record.variants,
        license=record.package.license,
        dependencies=record.dependencies,
        requires=record.requires,
        signatures=record.signatures,
    )


def insert_release(
    connection: Connection,
    session: Session,
    entry: Entry,
    manifest: Hashes,
    facts: dict[str, object],
) -> None:
    """Write a release with its files and dependencies, and its package if it is new.

    Raises what the database raises where the version is taken, Conflict where the name is.
    """
    key = {"publisher": session.publisher, "name": session.name}
    since = {"since": entry.published}
    version = {**key, "version": staging.version_key(entry.version)}
    connection.execute(insert(tables.versions), version | since)
    if connection.execute(select(tables.packages.c.name).filter_by(**key)).first() is None:
        _insert_package(connection, key, entry)
    release = {**key, "version": entry.version}
    row = {
        **release,
        "number": entry.number,
        "commit": entry.commit,
        "manifest": entry.manifest,
        "record": msgspec.json.encode(session.record),
        "entry": msgspec.json.encode(entry),
        "facts": msgspec.json.encode(facts),
        "published": entry.published,
        "account": session.account,
    }
    connection.execute(insert(tables.releases), row)
    _insert_blobs(connection, [Hashes(f.size, f.sha256, f.git, f.md5) for f in entry.files])
    _insert_blobs(connection, [manifest])
    files = [{**release, "path": file.path, "sha256": file.sha256} for file in entry.files]
    connection.execute(insert(tables.release_files), files)
    insert_dependencies(connection, [(release, entry)])


def _insert_package(connection: Connection, key: dict[str, str], entry: Entry) -> None:
    accounts.take_name(connection, "package", names.folded(entry.name), entry.name)
    for space, image in names.images(entry.name).items():
        accounts.take_name(connection, space, image, entry.name)
    row = {**key, "status": "active", "created": entry.published}
    connection.execute(insert(tables.packages), row)


def _insert_blobs(connection: Connection, hashes: list[Hashes]) -> None:
    distinct = {each.sha256: each for each in hashes}
    known = staging.published(connection, list(distinct))
    rows = [
        {**each._asdict(), "created": clock.now()}
        for sha256, each in distinct.items()
        if sha256 not in known
    ]
    if rows:
        connection.execute(insert(tables.blobs), rows)


def insert_dependencies(
    connection: Connection, entries: Iterable[tuple[Mapping[str, str], Entry]]
) -> None:
    """Write what releases (the columns that name each, its entry) need of this registry."""
    rows = []
    for release, entry in entries:
        for wanted, dependency in entry.dependencies.items():
            if dependency.registry is None:
                on_publisher, on_name = names.parse(wanted)
                on = {"on_publisher": on_publisher, "on_name": on_name}
                what = {"requirement": dependency.version, "kind": dependency.kind}
                rows.append({**release, **on, **what})
    if rows:
        connection.execute(insert(tables.dependencies), rows)
