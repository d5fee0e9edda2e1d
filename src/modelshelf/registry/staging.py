"""Publish sessions: what a client means to publish, and how much of it has arrived."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from modelshelf.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, Refused
from modelshelf.package import manifest
from modelshelf.package import name as names
from modelshelf.package.path import colliding, unsafe_path
from modelshelf.package.record import Record, named_files
from modelshelf.package.version import Version
from modelshelf.registry import clock, reasons, tables
from modelshelf.registry.accounts import Identity, require_role
from modelshelf.registry.database import Database
from modelshelf.registry.settings import Settings
from modelshelf.registry.verdicts import Report
from modelshelf.store.digest import Hashes, hash_file, is_sha256
from modelshelf.store.disk import DiskStore


class Declared(msgspec.Struct, frozen=True):
    """A file that the client means to publish."""

    path: str
    size: int
    sha256: str


class Session(msgspec.Struct, frozen=True):
    """A session: the release it is for, its files, and what it has sent completely.

    `override` is the publisher's reason for a version lower than the changes ask for. `held` is
    what the scanner found where that holds the release back, `decision` what the operator said.
    """

    id: str
    account: str
    publisher: str
    name: str
    version: str
    record: Record
    state: str
    expires: str
    files: tuple[Declared, ...]
    sent: dict[str, Hashes]
    override: str | None = None
    held: Report | None = None
    decision: str | None = None
    decided_by: str | None = None


def version_key(version: str) -> str:
    """What the ledger of versions holds: build metadata does not make another version."""
    return str(version).partition("+")[0]


def problems(record: Record, files: tuple[Declared, ...], settings: Settings) -> list[Problem]:
    """Everything that can be seen to be wrong before a byte is sent."""
    found = list(manifest.problems(record))
    if not files or len(files) > settings.max_files:
        found.append(Problem(f"a release has 1 to {settings.max_files} files, not {len(files)}"))
    found += [
        Problem(wrong, file=file.path[:200], rule="files")
        for file in files
        if (wrong := _file_problem(file, settings))
    ]
    named = {manifest.FILE, *named_files(record)}
    found += [
        Problem(
            "the record does not name this file",
            file=file.path[:200],
            hint="name it in `package.include`, or leave it out",
            rule="files",
        )
        for file in files
        if file.path not in named
    ][:20]
    found += [
        Problem(f"`{one}` and `{other}` cannot lie in one folder everywhere", rule="files")
        for one, other in colliding([file.path for file in files])[:20]
    ]
    sizes = {(file.sha256, file.size) for file in files}
    if len({sha256 for sha256, _ in sizes}) != len(sizes):
        found.append(Problem("files of the same sha256 have different sizes", rule="files"))
    return found


def _file_problem(file: Declared, settings: Settings) -> str | None:
    if wrong := unsafe_path(file.path):
        return f"this path is refused: {wrong}"
    if not is_sha256(file.sha256):
        return "its sha256 is not 64 lower-case hex digits"
    if not 0 <= file.size <= settings.max_file_bytes:
        return f"its size must be from 0 to {settings.max_file_bytes} bytes"
    return None


def require_publishable(connection: Connection, identity: Identity, record: Record) -> None:
    """Raise unless this account may publish this version now; the commit asks once more."""
    publisher, name = names.parse(record.package.name)
    version = Version.parse(record.package.version)
    require_role(connection, identity, publisher, ("owner", "maintainer"))
    require_free(connection, publisher, name, str(version))


def require_free(connection: Connection, publisher: str, name: str, version: str) -> None:
    """Raise Conflict when the version was ever taken, Refused when the package takes none.

    A release that is only described takes none: it makes room for the one with files.
    """
    key = {"publisher": publisher, "name": name}
    query = select(tables.versions.c.since).filter_by(**key, version=version_key(version))
    described = select(tables.releases.c.described).filter_by(**key, version=version)
    since = connection.execute(query).scalar()
    if since is not None and not connection.execute(described).scalar():
        raise Conflict(
            f"{publisher}/{name} {version} was already published",
            where=f"{publisher}/{name}@{version}",
            got=since,
            hint="raise the version: a release is never changed, nor its version used again",
        )
    of_package = select(tables.packages.c.status).filter_by(publisher=publisher, name=name)
    status = connection.execute(of_package).scalar()
    if status in ("archived", "quarantined"):
        raise Refused(f"The package is {status}: it takes no releases", where=f"{publisher}/{name}")


def open_session(
    database: Database,
    settings: Settings,
    identity: Identity,
    record: Record,
    files: tuple[Declared, ...],
    override: str | None = None,
) -> Session:
    """Begin a publish; raises Invalid with all problems, NotAllowed or Conflict."""
    names.parse(record.package.name)
    Version.parse(record.package.version)
    if found := problems(record, files, settings):
        raise Invalid(
            "The release cannot be published", problems=tuple(found), where=found[0].where()
        )
    publisher, name = names.parse(record.package.name)
    identifier = secrets.token_hex(16)
    row = {
        "id": identifier,
        "account": identity.account,
        "publisher": publisher,
        "name": name,
        "version": record.package.version,
        "record": msgspec.json.encode(record),
        "state": "open",
        "created": clock.now(),
        "expires": clock.now(plus_seconds=settings.session_seconds),
        "level_override": None if override is None else reasons.stated(override),
    }
    with database.writing() as connection:
        require_publishable(connection, identity, record)
        connection.execute(insert(tables.sessions), row)
        rows = [{"session": identifier, **msgspec.structs.asdict(file)} for file in files]
        connection.execute(insert(tables.session_files), rows)
        return load(connection, identity, identifier)


def load(connection: Connection, identity: Identity, identifier: str) -> Session:
    """An own session; raises NotFound (also for those of others and for expired ones)."""
    row = connection.execute(select(tables.sessions).filter_by(id=identifier)).first()
    if row is None or row.account != identity.account or row.expires <= clock.now():
        raise NotFound("There is no such session, or it has expired", where=identifier[:64])
    if identity.publisher not in (None, row.publisher):
        raise NotAllowed(f"This token is for the publisher `{identity.publisher}` only")
    return _session(connection, row)


def find(connection: Connection, identifier: str) -> Session:
    """Anybody's session, for the operator; raises NotFound."""
    row = connection.execute(select(tables.sessions).filter_by(id=identifier)).first()
    if row is None:
        raise NotFound("There is no such session", where=identifier[:64])
    return _session(connection, row)


def _session(connection: Connection, row: Row[tuple[object, ...]]) -> Session:
    files = select(tables.session_files).filter_by(session=row.id)
    sent = select(tables.session_blobs).filter_by(session=row.id)
    return Session(
        id=row.id,
        account=row.account,
        publisher=row.publisher,
        name=row.name,
        version=row.version,
        record=msgspec.json.decode(row.record, type=Record),
        state=row.state,
        expires=row.expires,
        files=tuple(
            Declared(each.path, each.size, each.sha256)
            for each in connection.execute(files.order_by(tables.session_files.c.path))
        ),
        sent={
            each.sha256: Hashes(each.size, each.sha256, each.git, each.md5)
            for each in connection.execute(sent)
        },
        override=row.level_override,
        held=None if row.scan is None else msgspec.json.decode(row.scan, type=Report),
        decision=row.decision,
        decided_by=row.decided_by,
    )


def missing(connection: Connection, session: Session) -> list[Declared]:
    """The files still to be sent, each digest once. Only what is published need not be sent."""
    wanted = {file.sha256: file for file in session.files if file.sha256 not in session.sent}
    known = published(connection, list(wanted))
    return [file for sha256, file in wanted.items() if sha256 not in known]


def published(connection: Connection, digests: list[str]) -> dict[str, Hashes]:
    """Those of the digests that some release holds, with all their hashes."""
    found: dict[str, Hashes] = {}
    for start in range(0, len(digests), 500):
        query = select(tables.blobs).where(tables.blobs.c.sha256.in_(digests[start : start + 500]))
        for row in connection.execute(query):
            found[row.sha256] = Hashes(row.size, row.sha256, row.git, row.md5)
    return found


def partial(store: DiskStore, session: Session, sha256: str) -> Path:
    """Where a file of the session arrives."""
    return store.stage(f"{session.id}-{sha256}")


def offset(store: DiskStore, session: Session, sha256: str) -> int:
    """How many bytes of a file have arrived."""
    return partial(store, session, sha256).stat().st_size


def verify(database: Database, store: DiskStore, session: Session, file: Declared) -> Hashes:
    """All bytes are here: hash them and remember that. Raises IntegrityError, dropping them."""
    path = partial(store, session, file.sha256)
    hashes = hash_file(path)
    if hashes.sha256 != file.sha256:
        store.commit(path, file.sha256, computed=hashes.sha256)  # raises and drops the partial
    row = {"session": session.id, **hashes._asdict()}
    with database.writing() as connection:
        known = select(tables.session_blobs.c.size).filter_by(
            session=session.id, sha256=file.sha256
        )
        if connection.execute(known).first() is None:
            connection.execute(insert(tables.session_blobs), row)
    return hashes


def settle(database: Database, store: DiskStore, session: Session) -> Session:
    """Verify what has arrived whole without having been verified: a crash came between."""
    sent = dict(session.sent)
    with database.reading() as connection:
        waiting = missing(connection, session)
    for file in waiting if session.state == "open" else ():
        if offset(store, session, file.sha256) == file.size:
            sent[file.sha256] = verify(database, store, session, file)
    return msgspec.structs.replace(session, sent=sent)


def close(connection: Connection, identifier: str, state: str) -> None:
    """End a session: `published`, `refused` or `dropped`."""
    connection.execute(
        update(tables.sessions).where(tables.sessions.c.id == identifier).values(state=state)
    )


def discard_partials(store: DiskStore, session: Session) -> None:
    """Forget what a session has sent: files, and blobs that had not come to their end."""
    for path in store.partials():
        if path.name.startswith(f"{session.id}-"):
            store.discard(path)


def sweep(database: Database, store: DiskStore, older_than_seconds: float) -> None:
    """Forget expired sessions, the bytes that they sent, and files that no release came to hold."""
    columns = tables.sessions.c
    expired = select(columns.id).where(columns.expires <= clock.now())
    with database.writing() as connection:
        for identifier in connection.execute(expired).scalars().all():
            for table in _OF_SESSION:
                connection.execute(delete(table).where(table.c.session == identifier))
            connection.execute(delete(tables.sessions).where(columns.id == identifier))
    _renew_held(database, store)
    store.sweep(older_than_seconds=older_than_seconds + 3600)
    limit = time.time() - older_than_seconds - 3600
    old = [sha256 for sha256 in store.digests() if store.path(sha256).stat().st_mtime < limit]
    for start in range(0, len(old), 500):
        # A commit asks for its files inside its own transaction, so neither can miss the other.
        with database.writing() as connection:
            batch = old[start : start + 500]
            for sha256 in set(batch) - published(connection, batch).keys():
                store.delete(sha256)


_OF_SESSION = (
    tables.session_segments,
    tables.session_recipes,
    tables.session_blobs,
    tables.session_files,
)


def _renew_held(database: Database, store: DiskStore) -> None:
    """What waits for the operator's decision does not grow old."""
    sent, of = tables.session_blobs.c, tables.sessions
    query = (
        select(sent.session, sent.sha256)
        .join(of, of.c.id == sent.session)
        .where(of.c.state == "held")
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if store.has(row.sha256):
            os.utime(store.path(row.sha256))
        else:
            store.stage(f"{row.session}-{row.sha256}")  # which makes it new
