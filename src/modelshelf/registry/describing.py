"""What is read from the files of a published release: its contract, and the scanner's verdict.

Releases from before contracts were kept get theirs; all are read again when the readers change, and
scanned again when the rules do: one job a release, each of which may be done twice. Of a release that
is only described there is nothing to read: its contract is its record.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import Connection, and_, exists, or_, select, update

from modelshelf import checks
from modelshelf.checks import Staged
from modelshelf.checks.contract import READERS_VERSION, Contract
from modelshelf.checks.safety.scan import RULES_VERSION
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.registry import contracts, jobs, log, releases, tables, verdicts
from modelshelf.registry.contracts import Key, Step
from modelshelf.registry.service import Kept
from modelshelf.store.disk import DiskStore

JOB = "describe"
LITTER_SECONDS = 86_400
"""A release is not judged for so long."""
_JUDGED = "judge-"


Place = Callable[[Path], None]
"""What puts a file at a path, as a link to where it lies."""


def lying_at(source: Path) -> Place:
    """What puts the file at `source` elsewhere too."""
    return lambda target: target.hardlink_to(source)


@contextlib.contextmanager
def laid_out(store: DiskStore, sources: Mapping[str, Place]) -> Iterator[Path]:
    """A folder in the store with files under their paths."""
    folder = Path(tempfile.mkdtemp(prefix=_JUDGED, dir=store.root))
    try:
        for path, place in sources.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            place(target)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(store: DiskStore) -> list[Path]:
    """Take away folders that killed processes left, which hold on to files; return them."""
    limit = time.time() - LITTER_SECONDS
    gone = []
    for folder in store.root.glob(f"{_JUDGED}*"):
        with contextlib.suppress(FileNotFoundError):  # someone else is done with it
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return gone


def enqueue_lacking(connection: Connection) -> int:
    """Enqueue a job for each release that `describe` would give something; count them."""
    of, by = tables.releases.c, tables.contracts.c
    kept = exists().where(
        by.publisher == of.publisher,
        by.name == of.name,
        by.version == of.version,
        by.readers == READERS_VERSION,
    )
    unscanned = or_(of.rules.is_(None), of.rules != RULES_VERSION)
    query = (
        select(of.publisher, of.name, of.version)
        .where(or_(~kept, of.step.is_(None), and_(~of.described, unscanned)))
        .order_by(of.publisher, of.name, of.number)
    )
    rows = connection.execute(query).all()
    jobs.enqueue_all(connection, JOB, (contracts.by_key((*row,)) for row in rows))
    return len(rows)


def describe(kept: Kept, key: Key, *, scan_again: bool = False) -> None:
    """Give a release the contract, the change and the verdict that it lacks."""
    with kept.database.reading() as connection:
        found = releases.release(connection, *key)
        had = verdicts.report(connection, key)
        has_contract = contracts.is_current(connection, key)
        has_step = contracts.step(connection, key) is not None
    if found.entry.described:
        _keep_record(kept, key, found.record)
        return
    scans = scan_again or had is None or had.rules != RULES_VERSION
    if scans or not has_contract:
        read = staged(kept, found.entry, found.record)
        _keep_contract(kept, key, read)
        if scans:
            _keep_verdict(kept, key, read, had)
    if not has_step:
        _keep_step(kept, key)
    if scans or not (has_contract and has_step):
        with kept.database.writing() as connection:
            jobs.enqueue_once(connection, "refresh", {"publisher": key[0], "name": key[1]})


def contract_of(kept: Kept, key: Key) -> Contract:
    """The contract of a release, made now if it is not kept yet; raises NotFound."""
    with kept.database.reading() as connection:
        found = releases.release(connection, *key)
        is_current = contracts.is_current(connection, key)
    if found.entry.described:
        _keep_record(kept, key, found.record)
    elif not is_current:
        _keep_contract(kept, key, staged(kept, found.entry, found.record))
    with kept.database.reading() as connection:
        return contracts.load(connection, key)


def staged(kept: Kept, entry: Entry, record: Record) -> Staged:
    """A published release as it was judged, read again."""
    known = {file.path: file.sha256 for file in entry.files}
    sources = {path: partial(kept.raw.link, sha256) for path, sha256 in known.items()}
    with laid_out(kept.store, sources) as folder:
        return checks.stage(folder, record, known=known)


def _keep_contract(kept: Kept, key: Key, staged: Staged) -> None:
    """Keep the contract, and what else the readers of today say of the files."""
    assert staged.contract is not None
    facts = {"facts": msgspec.json.encode(staged.read())}
    with kept.database.writing() as connection:
        if not contracts.is_current(connection, key):
            contracts.keep(connection, key, staged.contract)
            of_release = update(tables.releases).filter_by(**contracts.by_key(key))
            connection.execute(of_release.values(facts))


def _keep_record(kept: Kept, key: Key, record: Record) -> None:
    """Keep the contract of a release that is only described, and a step where it has none."""
    with kept.database.writing() as connection:
        if not contracts.is_current(connection, key):
            contracts.keep(connection, key, Contract(record))
        if contracts.step(connection, key) is None:
            contracts.keep_step(connection, key, None, Step())


def _keep_step(kept: Kept, key: Key) -> None:
    """Keep what moved since the release that was before this one at its time."""
    with kept.database.reading() as connection:
        entries = releases.entries(connection, *key[:2])
    own = next(entry for entry in entries if entry.version == key[2])
    version = contracts.before([each for each in entries if each.number < own.number], key[2])
    old = contract_of(kept, (*key[:2], version)) if version else None
    change, step = contracts.moved(old, contract_of(kept, key), None)
    with kept.database.writing() as connection:
        contracts.keep_step(connection, key, change, step)


def _keep_verdict(kept: Kept, key: Key, staged: Staged, had: verdicts.Report | None) -> None:
    """Keep the verdict; a decision outlives a scan that found nothing else to block."""
    assert staged.scanned is not None
    still = had if verdicts.outlives(had, staged.scanned) else None
    decision, by = (still.decision, still.decided_by) if still else (None, None)
    with kept.database.writing() as connection:
        verdicts.keep(connection, key, staged.scanned, decision, by)
    if verdicts.scan_of(staged.scanned, decision).withholds:
        package = f"{key[0]}/{key[1]}"
        log.event("blocked", level=logging.WARNING, package=package, version=key[2])
