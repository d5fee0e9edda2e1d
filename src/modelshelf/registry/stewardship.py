"""What may still change after publication: yanks and the status of a package."""

from __future__ import annotations

from sqlalchemy import Connection, update

from modelshelf.errors import Conflict, Invalid, NotAllowed, NotFound
from modelshelf.package import name as names
from modelshelf.package.entry import Status
from modelshelf.registry import accounts, jobs, publish, reasons, releases, tables
from modelshelf.registry.accounts import Identity
from modelshelf.registry.service import Service

MEMBERS = ("owner", "maintainer")


def set_yank(
    service: Service,
    identity: Identity,
    release: tuple[str, str, str],
    *,
    reason: str | None,
) -> None:
    """Hide a release (publisher, name, version) from new resolution, never from locks.

    Without a `reason`, offer it again. Raises NotFound, NotAllowed.
    """
    publisher, name, version = release
    columns = tables.releases.c
    statement = (
        update(tables.releases)
        .where(columns.publisher == publisher, columns.name == name, columns.version == version)
        .values(yanked=None if reason is None else reasons.stated(reason))
    )
    with service.database.writing() as connection:
        accounts.require_role(connection, identity, publisher, MEMBERS)
        if connection.execute(statement).rowcount == 0:
            raise NotFound("There is no such release", where=f"{publisher}/{name}@{version[:80]}")
        job = _enqueue(connection, publisher, name)
    publish.derive_now(service, publisher, name, job)


def set_status(
    service: Service,
    identity: Identity,
    package: tuple[str, str],
    *,
    status: Status,
    successor: str | None,
    reason: str | None,
) -> None:
    """Change a package's status. A quarantine is set and lifted by the operator alone."""
    publisher, name = package
    if successor is not None:
        _require_successor(service, f"{publisher}/{name}", successor, status)
    with service.database.writing() as connection:
        accounts.require_role(connection, identity, publisher, MEMBERS)
        known = releases.package(connection, publisher, name)
        if "quarantined" in (known.status, status):
            raise NotAllowed("Only the registry's operator sets or lifts a quarantine")
        columns = tables.packages.c
        connection.execute(
            update(tables.packages)
            .where(columns.publisher == publisher, columns.name == name)
            .values(status=status, successor=successor, reason=reason and reasons.stated(reason))
        )
        job = _enqueue(connection, publisher, name)
    publish.derive_now(service, publisher, name, job)


def _enqueue(connection: Connection, publisher: str, name: str) -> int:
    return jobs.enqueue(connection, "refresh", {"publisher": publisher, "name": name})


def _require_successor(service: Service, package: str, successor: str, status: Status) -> None:
    names.parse(successor)
    if status != "deprecated":
        raise Invalid("Only a deprecated package has a successor", got=status)
    if successor == package:
        raise Conflict("A package cannot succeed itself", got=successor)
    with service.database.reading() as connection:
        releases.package(connection, *successor.split("/"))
