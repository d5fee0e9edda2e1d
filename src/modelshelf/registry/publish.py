"""Publishing: stage what a session sent, judge it, commit it in one transaction.

A crash before the transaction leaves the session as it was; after it, the release is there and
the job that was enqueued with it makes what is derived.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError as NotUnique

from modelshelf import checks
from modelshelf.errors import Conflict, Invalid, NotFound, Problem
from modelshelf.package import name as names
from modelshelf.package.elements import Level
from modelshelf.package.entry import Entry, File, commit_name
from modelshelf.package.record import Record, canonical
from modelshelf.registry import accounts, clock, jobs, log, releases, staging, tables
from modelshelf.registry.accounts import Identity
from modelshelf.registry.service import Service
from modelshelf.registry.staging import Session
from modelshelf.store.digest import Hashes, hash_file
from modelshelf.store.disk import DiskStore


class Judged(NamedTuple):
    """What the checks said of a release, and what was read from its files, by element id."""

    problems: tuple[Problem, ...]
    facts: dict[str, object]


def publish(service: Service, identity: Identity, identifier: str) -> Entry:
    """Publish what session `identifier` sent; asked again after it succeeded, say the same.

    Raises Invalid (with all problems), Conflict, NotAllowed, NotFound, Refused.
    """
    with _alone(service, identifier):
        session = stage(service, identity, identifier)
        if session.state == "published":
            return _published(service, session)
        files = _files(service, session)
        with _laid_out(service.store, session) as folder:
            judged = judge(folder, session.record, cast("Level", service.settings.level))
        if judged.problems:
            raise Invalid(
                "The release cannot be published",
                where=judged.problems[0].where(),
                problems=judged.problems,
            )
        job, entry = commit(service, identity, session, files, judged.facts)
    _derive(service, session, job)
    log.event("published", package=entry.name, version=entry.version, account=identity.account)
    return entry


def stage(service: Service, identity: Identity, identifier: str) -> Session:
    """The session, open and complete (or published already); raises Conflict otherwise."""
    with service.database.reading() as connection:
        session = staging.load(connection, identity, identifier)
    if session.state == "published":
        return session
    if session.state != "open":
        raise Conflict(f"The session is {session.state}", where=identifier)
    session = staging.settle(service.database, service.store, session)
    with service.database.reading() as connection:
        staging.require_publishable(connection, identity, session.record)
        waiting = staging.missing(connection, session)
    if waiting:
        raise Conflict(
            f"{len(waiting)} files have not arrived",
            where=identifier,
            expected=[file.path for file in waiting[:10]],
            hint="send them, then publish again",
        )
    return session


def judge(folder: Path, record: Record, level: Level) -> Judged:
    """Run every check on the release's files below `folder`; nothing of it is executed."""
    staged = checks.stage(folder, record, level)
    facts = {key: each.value for key, each in staged.values.items() if each.known == "extracted"}
    return Judged(tuple(checks.examine(staged)), facts)


def commit(
    service: Service,
    identity: Identity,
    session: Session,
    files: tuple[File, ...],
    facts: dict[str, object],
) -> tuple[int, Entry]:
    """Keep the bytes, then write all rows in one transaction → (job to derive the rest, entry).

    Exactly one of those who publish a version at once gets through; the others get Conflict.
    """
    for sha256 in {file.sha256 for file in files}:
        if not service.store.has(sha256):
            service.store.commit(
                staging.partial(service.store, session, sha256), sha256, computed=sha256
            )
    manifest = _keep_manifest(service.store, session.record, files)
    try:
        with service.database.writing() as connection:
            staging.require_publishable(connection, identity, session.record)
            _require_kept(service.store, files)
            entry = _entry(connection, session, files, manifest.sha256)
            _insert(connection, session, entry, manifest, facts)
            staging.close(connection, session.id, "published")
            job = jobs.enqueue(
                connection, "refresh", {"publisher": session.publisher, "name": session.name}
            )
    except NotUnique:
        raise Conflict(
            "Someone else published this version a moment ago",
            where=f"{session.publisher}/{session.name}@{session.version}",
        ) from None
    return job, entry


def derive_now(service: Service, publisher: str, name: str, job: int) -> None:
    """Do the enqueued job at once; if that fails the worker does it later."""
    try:
        service.refresh(publisher, name)
    except Exception:  # noqa: BLE001 (the release is committed; the job remains)
        log.failure("not derived yet", package=f"{publisher}/{name}")
        service.jobs.wake()
    else:
        with service.database.writing() as connection:
            jobs.finish(connection, job)


def _derive(service: Service, session: Session, job: int) -> None:
    staging.discard_partials(service.store, session)
    derive_now(service, session.publisher, session.name, job)


def _published(service: Service, session: Session) -> Entry:
    with service.database.reading() as connection:
        return releases.release(connection, session.publisher, session.name, session.version).entry


@contextlib.contextmanager
def _alone(service: Service, identifier: str) -> Iterator[None]:
    """One publish of a session at a time; a lock left by a killed process counts for nothing."""
    if not (identifier.isascii() and identifier.isalnum() and len(identifier) <= 64):
        raise NotFound("There is no such session", where=identifier[:64])
    folder = service.settings.data / "publishing"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{identifier}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict("The session is being published already", where=identifier) from None
    try:
        yield
    finally:
        lock.release()
        (folder / f"{identifier}.lock").unlink(missing_ok=True)


@contextlib.contextmanager
def _laid_out(store: DiskStore, session: Session) -> Iterator[Path]:
    """A folder with the session's files under their paths, as links."""
    folder = Path(tempfile.mkdtemp(prefix="judge-", dir=store.root))
    try:
        for file in session.files:
            target = folder / file.path
            if store.has(file.sha256):
                store.link(file.sha256, target)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(staging.partial(store, session, file.sha256))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files(service: Service, session: Session) -> tuple[File, ...]:
    with service.database.reading() as connection:
        digests = [file.sha256 for file in session.files]
        hashes = staging.published(connection, digests) | session.sent
    wrong = [file for file in session.files if hashes[file.sha256].size != file.size]
    if wrong:
        raise Invalid(
            "The declared size is not that of the file with this sha256",
            where=wrong[0].path,
            expected=hashes[wrong[0].sha256].size,
            got=wrong[0].size,
        )
    return tuple(
        File(file.path, file.size, file.sha256, found.git, found.md5)
        for file in sorted(session.files, key=lambda file: file.path)
        if (found := hashes[file.sha256])
    )


def _keep_manifest(store: DiskStore, record: Record, files: tuple[File, ...]) -> Hashes:
    """Keep the canonical document of the release as a file; its sha256 is a name of the release."""
    partial = store.stage()
    with store.append(partial, 0) as appender:
        appender.write(canonical.encode({"record": record, "files": files}))
    hashes = hash_file(partial)
    store.commit(partial, hashes.sha256, computed=hashes.sha256)
    return hashes


def _require_kept(store: DiskStore, files: tuple[File, ...]) -> None:
    for file in files:
        if not store.has(file.sha256):
            raise Conflict("A file was swept away meanwhile: publish again", where=file.path)


def _entry(
    connection: Connection, session: Session, files: tuple[File, ...], manifest: str
) -> Entry:
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


def _insert(
    connection: Connection,
    session: Session,
    entry: Entry,
    manifest: Hashes,
    facts: dict[str, object],
) -> None:
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
    _insert_dependencies(connection, release, entry)


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


def _insert_dependencies(connection: Connection, release: dict[str, str], entry: Entry) -> None:
    rows = []
    for wanted, dependency in entry.dependencies.items():
        if dependency.registry is None:
            on_publisher, on_name = names.parse(wanted)
            on = {"on_publisher": on_publisher, "on_name": on_name}
            what = {"requirement": dependency.version, "kind": dependency.kind}
            rows.append({**release, **on, **what})
    if rows:
        connection.execute(insert(tables.dependencies), rows)
