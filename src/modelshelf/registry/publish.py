"""Publishing: stage what a session sent, judge it, commit it in one transaction.

A crash before the transaction leaves the session as it was; after it, the release is there and
the job that was enqueued with it makes what is derived.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
from filelock import FileLock, Timeout
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as NotUnique

from modelshelf import checks
from modelshelf.checks import Staged
from modelshelf.checks.contract import Contract
from modelshelf.checks.safety.scan import RULE, Scanned
from modelshelf.errors import Conflict, Invalid, NotFound, Problem
from modelshelf.package import composition
from modelshelf.package import name as names
from modelshelf.package.elements import Level
from modelshelf.package.entry import Entry, File, answering
from modelshelf.package.record import Dependency, Record, canonical
from modelshelf.registry import (
    arriving,
    contracts,
    describing,
    encoding,
    jobs,
    log,
    reasons,
    recipes,
    release_rows,
    releases,
    staging,
    verdicts,
)
from modelshelf.registry.accounts import Identity
from modelshelf.registry.service import Kept, Service
from modelshelf.registry.staging import Session
from modelshelf.store.digest import Hashes, hash_file
from modelshelf.store.disk import DiskStore

PUBLISHING_SECONDS = 60.0
"""How long to wait for another request that publishes the same session."""


class Judged(NamedTuple):
    """What the checks said of a release, what was read from its files, and the one before it."""

    problems: tuple[Problem, ...]
    staged: Staged
    scanned: Scanned
    contract: Contract


def publish(service: Service, identity: Identity, identifier: str) -> Entry:
    """Publish what session `identifier` sent; asked again after it succeeded, say the same.

    Raises Invalid (with all problems), Conflict, NotAllowed, NotFound, Refused.
    """
    with _alone(service, identifier):
        session = stage(service, identity, identifier)
        if session.state == "published":
            # the operator may have published it a moment ago, without a registry to derive the rest
            derive_now(service, session.publisher, session.name)
            return _published(service, session)
        job, entry = release(service, identity, session)
    staging.discard_partials(service.store, session)
    derive_now(service, session.publisher, session.name, job)
    return entry


def allow(kept: Kept, identifier: str, reason: str, by: str) -> Entry:
    """Publish a session that is held, for the operator's `reason`; raises as `publish` does.

    What is derived is made by the registry once it runs.
    """
    reason = reasons.stated(reason)
    with _alone(kept, identifier):
        with kept.database.reading() as connection:
            session = staging.find(connection, identifier)
        if session.state != "held":
            raise Conflict(f"The session is {session.state}", where=identifier)
        decided = msgspec.structs.replace(session, decision=reason, decided_by=by)
        _job, entry = release(kept, Identity(session.account, frozenset()), decided)
        with kept.database.writing() as connection:
            verdicts.close(connection, session.id, "published", reason, by)
    staging.discard_partials(kept.store, session)
    return entry


def release(kept: Kept, identity: Identity, session: Session) -> tuple[int, Entry]:
    """Judge a session that is complete, and publish it → (job to derive the rest, entry).

    What the scanner blocks is held until the operator decides; raises Refused then.
    """
    files = _files(kept, session)
    previous = _previous(kept, session)
    with describing.laid_out(kept.store, _sources(kept, session)) as folder:
        judged = judge(kept, folder, session, previous)
    if judged.problems:
        raise Invalid(
            "The release cannot be published",
            where=judged.problems[0].where(),
            problems=judged.problems,
        )
    if verdicts.scan_of(judged.scanned, session.decision).withholds:
        with kept.database.writing() as connection:
            held = verdicts.hold(connection, session.id, judged.scanned)
        log.event("held", package=session.record.package.name, version=session.version)
        raise verdicts.refusal(session.id, held)
    job, entry = commit(kept, identity, session, files, judged)
    log.event("published", package=entry.name, version=entry.version, account=identity.account)
    return job, entry


def stage(service: Kept, identity: Identity, identifier: str) -> Session:
    """The session, open and complete (or published already); raises Conflict otherwise.

    Raises Refused for one that is held, or that the operator refused.
    """
    with service.database.reading() as connection:
        session = staging.load(connection, identity, identifier)
    if session.state == "published":
        return session
    if session.state == "held" and session.held:
        raise verdicts.refusal(session.id, session.held)
    if session.state == "refused":
        raise verdicts.refused(session.id, session.decision or "")
    if session.state != "open":
        raise Conflict(f"The session is {session.state}", where=identifier)
    arriving.assemble(service, session)
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


def judge(kept: Kept, folder: Path, session: Session, previous: Contract | None) -> Judged:
    """Run every check on the release's files below `folder`; nothing of it is executed.

    What the scanner blocks is no problem here: it is the operator's to decide.
    """
    staged = checks.stage(
        folder,
        session.record,
        cast("Level", kept.settings.level),
        previous=previous,
        override=session.override,
        known={file.path: file.sha256 for file in session.files},
    )
    assert staged.scanned is not None
    assert staged.contract is not None
    found = [*checks.examine(staged), *_pipeline_problems(kept, session.record)]
    problems = tuple(each for each in found if not each.warning and each.rule != RULE)
    return Judged(problems, staged, staged.scanned, staged.contract)


def commit(
    kept: Kept,
    identity: Identity,
    session: Session,
    files: tuple[File, ...],
    judged: Judged,
) -> tuple[int, Entry]:
    """Keep the bytes, then write all rows in one transaction → (job to derive the rest, entry).

    Exactly one of those who publish a version at once gets through; the others get Conflict.
    """
    lacking = _keep_files(kept, session, files)
    manifest = _keep_manifest(kept.store, session.record, files)
    cut = encoding.cut(kept, session, [*lacking, manifest], judged.staged.facts)
    change, step = contracts.moved(judged.staged.previous, judged.contract, session.override)
    scan = verdicts.scan_of(judged.scanned, session.decision)
    try:
        with kept.database.writing() as connection:
            staging.require_publishable(connection, identity, session.record)
            _require_compared(connection, session, judged.staged.previous)
            _require_kept(connection, kept.store, files, lacking)
            entry = msgspec.structs.replace(
                release_rows.entry(connection, session, files, manifest.sha256),
                change=change,
                scan=scan,
            )
            release_rows.insert_release(connection, session, entry, manifest, judged.staged.read())
            key = (session.publisher, session.name, session.version)
            encoding.keep(connection, cut)
            recipes.add_segments(connection, arriving.deltas(connection, session))
            contracts.keep(connection, key, judged.contract)
            contracts.keep_step(connection, key, change, step)
            verdicts.keep(connection, key, judged.scanned, session.decision, session.decided_by)
            staging.close(connection, session.id, "published")
            jobs.enqueue(connection, encoding.JOB, contracts.by_key(key))
            job = jobs.enqueue(
                connection, "refresh", {"publisher": session.publisher, "name": session.name}
            )
    except NotUnique:
        raise Conflict(
            "Someone else published this version a moment ago",
            where=f"{session.publisher}/{session.name}@{session.version}",
        ) from None
    return job, entry


def derive_now(service: Service, publisher: str, name: str, job: int | None = None) -> None:
    """Make at once what is derived; if that fails the worker does it later, as `job`."""
    try:
        service.refresh(publisher, name)
    except Exception:  # noqa: BLE001 (the release is committed; the job remains)
        log.failure("not derived yet", package=f"{publisher}/{name}")
        service.jobs.wake()
    else:
        if job is not None:
            with service.database.writing() as connection:
                jobs.finish(connection, job)


def _previous(kept: Kept, session: Session) -> Contract | None:
    """The contract of the release that this one is compared with."""
    with kept.database.reading() as connection:
        entries = releases.entries(connection, session.publisher, session.name)
    version = contracts.before(entries, session.version)
    if version is None:
        return None
    return describing.contract_of(kept, (session.publisher, session.name, version))


def _require_compared(connection: Connection, session: Session, with_: Contract | None) -> None:
    """Raise Conflict where the release before is another one than it was when this one was judged."""
    entries = releases.entries(connection, session.publisher, session.name)
    version = contracts.before(entries, session.version)
    if version != (with_ and with_.record.package.version):
        raise Conflict(
            "Another release was published or yanked meanwhile",
            where=f"{session.publisher}/{session.name}@{session.version}",
            expected=f"a comparison with {version or 'nothing'}",
            hint="publish again",
        )


def _pipeline_problems(kept: Kept, record: Record) -> list[Problem]:
    """What keeps the packages around this one from fitting it, as far as they are here."""

    def find(name: str, wanted: Dependency) -> Entry | None:
        if wanted.registry is not None:
            return None
        with kept.database.reading() as connection:
            return answering(releases.entries(connection, *names.parse(name)), wanted)

    return composition.problems(record, find)


def _published(service: Kept, session: Session) -> Entry:
    with service.database.reading() as connection:
        return releases.release(connection, session.publisher, session.name, session.version).entry


@contextlib.contextmanager
def _alone(service: Kept, identifier: str) -> Iterator[None]:
    """One publish of a session at a time; a lock left by a killed process counts for nothing.

    Who asks once more, as after a broken connection, waits for what becomes of it.
    """
    if not (identifier.isascii() and identifier.isalnum() and len(identifier) <= 64):
        raise NotFound("There is no such session", where=identifier[:64])
    folder = service.settings.data / "publishing"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{identifier}.lock")
    try:
        lock.acquire(timeout=PUBLISHING_SECONDS, poll_interval=0.02)
    except Timeout:
        raise Conflict(
            "The session is still being published", where=identifier, hint="ask again later"
        ) from None
    try:
        yield
    finally:
        # unlinked while it is held: who waits for it sees that and takes a new one
        (folder / f"{identifier}.lock").unlink(missing_ok=True)
        lock.release()


def _sources(kept: Kept, session: Session) -> dict[str, describing.Place]:
    """Where the session's files lie: published ones whole, others as they were sent."""
    with kept.database.reading() as connection:
        known = staging.published(connection, [file.sha256 for file in session.files])

    def source(sha256: str) -> describing.Place:
        if sha256 in known:
            return partial(kept.raw.link, sha256)
        if kept.store.has(sha256):  # a publish that was killed came so far
            return describing.lying_at(kept.store.path(sha256))
        return describing.lying_at(staging.partial(kept.store, session, sha256))

    return {file.path: source(file.sha256) for file in session.files}


def _files(service: Kept, session: Session) -> tuple[File, ...]:
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


def _keep_files(kept: Kept, session: Session, files: tuple[File, ...]) -> list[File]:
    """Put what was sent into the store → the files that no release held before, each digest once."""
    found = {file.sha256: file for file in files}
    with kept.database.reading() as connection:
        known = staging.published(connection, list(found))
    lacking = [file for sha256, file in found.items() if sha256 not in known]
    for sha256 in {file.sha256 for file in lacking}:
        if not kept.store.has(sha256):
            kept.store.commit(staging.partial(kept.store, session, sha256), sha256, computed=sha256)
    return lacking


def _require_kept(
    connection: Connection, store: DiskStore, files: tuple[File, ...], lacking: list[File]
) -> None:
    """Raise Conflict unless every file is published by now, or was put into the store just now."""
    new = {file.sha256 for file in lacking}
    known = staging.published(connection, [file.sha256 for file in files])
    for file in files:
        if file.sha256 not in known and not (file.sha256 in new and store.has(file.sha256)):
            raise Conflict("A file was swept away meanwhile: publish again", where=file.path)
