"""What the operator decides, through the data of a registry whether it runs or not.

What is derived (index, search) is made by the registry itself, from the jobs that this leaves.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select, update

from modelshelf.errors import Conflict, NotFound
from modelshelf.formats.facts import Risk
from modelshelf.package import name as names
from modelshelf.package.entry import Severity
from modelshelf.registry import (
    accounts,
    describing,
    jobs,
    publish,
    reasons,
    releases,
    staging,
    tables,
    verdicts,
)
from modelshelf.registry.contracts import Key, by_key
from modelshelf.registry.service import Kept, open_kept
from modelshelf.registry.settings import Settings


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a decision: a session, or (`session` is None) a published release."""

    session: str | None
    name: str
    version: str
    account: str
    since: str
    findings: tuple[Risk, ...]


class Rescanned(msgspec.Struct, frozen=True):
    """A release that was scanned again: what the scanner said before and says now."""

    name: str
    version: str
    before: Severity | None
    after: Severity | None


def open_data(settings: Settings, *, make: bool = False) -> Kept:
    """What lies in the data folder of a registry; raises NotFound where there is none.

    With `make` an empty registry is made there.
    """
    if make:
        settings.data.mkdir(parents=True, exist_ok=True)
    elif settings.database is None and not (settings.data / "registry.sqlite").is_file():
        raise NotFound(
            "There is no registry's data in this folder",
            where=str(settings.data),
            hint="name it with --data",
        )
    return open_kept(settings)


def waiting(kept: Kept) -> list[Waiting]:
    """Everything that awaits a decision: sessions held back first, the oldest first."""
    with kept.database.reading() as connection:
        return [*_held(connection), *_blocked(connection)]


def allow(kept: Kept, target: str, reason: str, by: str) -> str:
    """Publish a session that is held, or let a blocked release through → `NAME@VERSION`.

    Raises NotFound, Conflict, and what publishing raises.
    """
    if "@" not in target:
        entry = publish.allow(kept, target, reason, by)
        return f"{entry.name}@{entry.version}"
    key = release_key(target)
    with kept.database.writing() as connection:
        found = releases.release(connection, *key).entry
        if found.scan is None or not found.scan.withholds:
            raise Conflict("This release is not blocked", where=target)
        verdicts.decide(connection, key, reasons.stated(reason), by)
        _enqueue(connection, key[0], key[1])
    return target


def refuse(kept: Kept, session: str, reason: str, by: str) -> str:
    """End a session that is held, and forget its files → `NAME@VERSION`."""
    reason = reasons.stated(reason)
    with kept.database.writing() as connection:
        found = staging.find(connection, session)
        if found.state != "held":
            raise Conflict(f"The session is {found.state}", where=session)
        verdicts.close(connection, session, "refused", reason, by)
    staging.discard_partials(kept.store, found)
    return f"{found.publisher}/{found.name}@{found.version}"


def rescan(kept: Kept, target: str | None) -> list[Rescanned]:
    """Scan one release again (`NAME@VERSION`), or all of them; what changed its verdict comes back."""
    with kept.database.reading() as connection:
        keys = [release_key(target)] if target else _all_keys(connection)
    told = []
    for key in keys:
        before = _verdict(kept, key)
        describing.describe(kept, key, scan_again=True)
        told.append(Rescanned(f"{key[0]}/{key[1]}", key[2], before, _verdict(kept, key)))
    return told


def quarantine(kept: Kept, package: str, reason: str | None) -> None:
    """Put a package aside with a `reason`, so that nobody chooses it anew; without one lift that."""
    publisher, name = names.parse(package)
    columns = tables.packages.c
    status = "active" if reason is None else "quarantined"
    stated = None if reason is None else reasons.stated(reason)
    with kept.database.writing() as connection:
        known = releases.package(connection, publisher, name)
        if reason is None and known.status != "quarantined":
            raise Conflict(f"The package is {known.status}", where=package)
        connection.execute(
            update(tables.packages)
            .where(columns.publisher == publisher, columns.name == name)
            .values(status=status, reason=stated)
        )
        _enqueue(connection, publisher, name)


def give(kept: Kept, publisher: str, account: str) -> None:
    """Make an account an owner of a publisher: one that was imported has nobody who could.

    Raises NotFound where either is not there.
    """
    with kept.database.writing() as connection:
        accounts.set_member(connection, publisher, account, "owner")


def release_key(text: str) -> Key:
    """`NAME@VERSION` → publisher, name, version."""
    name, _, version = text.partition("@")
    return (*names.parse(name), version)


def _held(connection: Connection) -> list[Waiting]:
    query = select(tables.sessions).filter_by(state="held").order_by(tables.sessions.c.created)
    return [
        Waiting(
            row.id,
            f"{row.publisher}/{row.name}",
            row.version,
            row.account,
            row.created,
            msgspec.json.decode(row.scan, type=verdicts.Report).findings,
        )
        for row in connection.execute(query)
    ]


def _blocked(connection: Connection) -> list[Waiting]:
    of = tables.releases.c
    query = (
        select(tables.releases)
        .where(of.verdict == "blocked", of.decision.is_(None))
        .order_by(of.publisher, of.name, of.number)
    )
    found = []
    for row in connection.execute(query).all():
        report = verdicts.report(connection, (row.publisher, row.name, row.version))
        findings = report.findings if report else ()
        name = f"{row.publisher}/{row.name}"
        found.append(Waiting(None, name, row.version, row.account, row.published, findings))
    return found


def _all_keys(connection: Connection) -> list[Key]:
    of = tables.releases.c
    query = select(of.publisher, of.name, of.version).where(~of.described)
    query = query.order_by(of.publisher, of.name, of.number)
    return [(row.publisher, row.name, row.version) for row in connection.execute(query)]


def _verdict(kept: Kept, key: Key) -> Severity | None:
    query = select(tables.releases.c.verdict).filter_by(**by_key(key))
    with kept.database.reading() as connection:
        verdict: Severity | None = connection.execute(query).scalar()
    return verdict


def _enqueue(connection: Connection, publisher: str, name: str) -> None:
    jobs.enqueue_once(connection, "refresh", {"publisher": publisher, "name": name})
