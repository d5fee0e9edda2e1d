"""The rows that make a release: its package, its files and what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from modelshelf.package import name as names
from modelshelf.package.entry import Entry, File, commit_name
from modelshelf.registry import accounts, clock, staging, tables
from modelshelf.registry.staging import Session
from modelshelf.store.digest import Hashes


def entry(
    connection: Connection, session: Session, files: tuple[File, ...], manifest: str
) -> Entry:
    """The index line of a release about to be published, with its number.

    One that was only described until now keeps its number, and where it comes from.
    """
    before = described(connection, session)
    record = session.record
    return Entry(
        name=record.package.name,
        version=session.version,
        commit=commit_name(files),
        number=before.number if before else _next_number(connection, session),
        manifest=manifest,
        published=clock.now(),
        files=files,
        variants=record.variants,
        license=record.package.license,
        dependencies=record.dependencies,
        requires=record.requires,
        signatures=record.signatures,
        upstream=before.upstream if before else None,
    )


def described(connection: Connection, session: Session) -> Entry | None:
    """The release that the session is for, where it is here, but only described."""
    columns = tables.releases.c
    query = select(columns.entry).filter_by(**_key(session), described=True)
    found = connection.execute(query).scalar()
    return None if found is None else msgspec.json.decode(found, type=Entry)


def _key(session: Session) -> dict[str, str]:
    return {
        "publisher": session.publisher,
        "name": session.name,
        "version": session.version,
    }


def _next_number(connection: Connection, session: Session) -> int:
    columns = tables.releases.c
    newest = select(func.coalesce(func.max(columns.number), 0)).where(
        columns.publisher == session.publisher, columns.name == session.name
    )
    return int(connection.execute(newest).scalar_one()) + 1


def insert_release(
    connection: Connection,
    session: Session,
    entry: Entry,
    manifest: Hashes,
    facts: dict[str, object],
) -> None:
    """Write a release with its files and dependencies, and its package if it is new.

    It takes the place of one that was only described. Raises what the database raises where the
    version is taken, Conflict where the name is.
    """
    key = {"publisher": session.publisher, "name": session.name}
    release = _key(session)
    is_here = described(connection, session) is not None
    if not is_here:
        version = {**key, "version": staging.version_key(entry.version)}
        connection.execute(insert(tables.versions), version | {"since": entry.published})
    if connection.execute(select(tables.packages.c.name).filter_by(**key)).first() is None:
        _insert_package(connection, key, entry)
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
        "described": False,
    }
    if is_here:
        for table in (tables.release_files, tables.dependencies):
            connection.execute(delete(table).filter_by(**release))
        connection.execute(update(tables.releases).filter_by(**release).values(row))
    else:
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
