"""Packages and releases: what is known of them, and what may still change."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from modelshelf.checks.compared import Compared
from modelshelf.checks.contract import Contract
from modelshelf.package.entry import Status
from modelshelf.registry import contracts, downloads, families, releases, stewardship
from modelshelf.registry.downloads import Count
from modelshelf.registry.releases import Dependent, Package, Release
from modelshelf.registry.routing import Call, Resource

API = Resource("packages")
CONTRACT_CACHE = "public, max-age=3600"
"""A release never changes; what its readers say of it may, with a newer registry."""


class Dependents(msgspec.Struct, frozen=True):
    """The packages whose newest release needs this one."""

    dependents: tuple[Dependent, ...]


class History(msgspec.Struct, frozen=True):
    """Installs of a package: in all, and per day and release."""

    total: int
    last_30_days: int
    days: tuple[Count, ...]


class Yank(msgspec.Struct, frozen=True):
    """Why a release should not be chosen any more."""

    reason: str


class NewStatus(msgspec.Struct, frozen=True):
    """A package's status; only a deprecated one names a successor."""

    status: Status
    successor: str | None = None
    reason: str | None = None


@API.route("GET", "/api/v1/packages/{publisher}/{name}", summary="A package", returns=Package)
def package(call: Call) -> Package:
    """Show a package, its releases (newest first), its dependents, installs and families."""
    publisher, name = call.path("publisher"), call.path("name")
    with call.service.database.reading() as connection:
        found = releases.package(connection, publisher, name)
        inside = families.of_package(connection, publisher, name)
    return msgspec.structs.replace(found, families=inside)


@API.route(
    "GET", "/api/v1/packages/{publisher}/{name}/dependents", summary="Who needs a package",
    returns=Dependents,
)  # fmt: skip
def dependents(call: Call) -> Dependents:
    """List the dependents of a package."""
    publisher, name = call.path("publisher"), call.path("name")
    with call.service.database.reading() as connection:
        releases.package(connection, publisher, name)
        return Dependents(tuple(releases.dependents(connection, publisher, name)))


@API.route(
    "GET", "/api/v1/packages/{publisher}/{name}/downloads", summary="Installs of a package",
    returns=History,
)  # fmt: skip
def history(call: Call) -> History:
    """Count the installs of a package."""
    publisher, name = call.path("publisher"), call.path("name")
    with call.service.database.reading() as connection:
        releases.package(connection, publisher, name)
        totals = downloads.totals(connection, publisher, name)
        days = downloads.by_day(connection, publisher, name)
    return History(totals.total, totals.last_30_days, tuple(days))


@API.route(
    "PUT", "/api/v1/packages/{publisher}/{name}/status", summary="Change a package's status",
    body=NewStatus, returns=Package, scope="yank",
)  # fmt: skip
def set_status(call: Call, body: NewStatus) -> Package:
    """Deprecate, archive or reactivate a package."""
    stewardship.set_status(
        call.service,
        call.who,
        (call.path("publisher"), call.path("name")),
        status=body.status,
        successor=body.successor,
        reason=body.reason,
    )
    return package(call)


@API.route(
    "GET", "/api/v1/packages/{publisher}/{name}/{version}", summary="A release",
    returns=Release,
)  # fmt: skip
def release(call: Call) -> Release:
    """Show a release with all its information elements, and the families of its package."""
    publisher, name, version = _release(call)
    with call.service.database.reading() as connection:
        found = releases.release(connection, publisher, name, version)
        inside = families.of_package(connection, publisher, name)
    return msgspec.structs.replace(found, families=inside)


@API.route(
    "GET", "/api/v1/packages/{publisher}/{name}/{version}/contract",
    summary="All that callers of a release rely on", returns=Contract,
)  # fmt: skip
def contract(call: Call) -> Response:
    """Show what a release is compared by: record, facts of its files, labels, golden cases."""
    with call.service.database.reading() as connection:
        releases.release(connection, *_release(call))
        body = contracts.required(connection, _release(call))
    return Response(body, media_type="application/json", headers={"cache-control": CONTRACT_CACHE})


@API.route(
    "GET", "/api/v1/packages/{publisher}/{name}/diff/{old}/{new}",
    summary="What changed from one release to another", returns=Compared,
)  # fmt: skip
def diff(call: Call) -> Compared:
    """Compare two releases of a package: changes, the level that they ask for, metrics, sizes."""
    publisher, name = call.path("publisher"), call.path("name")
    return call.service.comparisons.compared((publisher, name, call.path("old"), call.path("new")))


@API.route(
    "PUT", "/api/v1/packages/{publisher}/{name}/{version}/yank", summary="Yank a release",
    body=Yank, returns=Release, scope="yank",
)  # fmt: skip
def yank(call: Call, body: Yank) -> Release:
    """Hide a release from new resolution; locks still find it."""
    stewardship.set_yank(call.service, call.who, _release(call), reason=body.reason)
    return release(call)


@API.route(
    "DELETE", "/api/v1/packages/{publisher}/{name}/{version}/yank", summary="Undo a yank",
    returns=Release, scope="yank",
)  # fmt: skip
def unyank(call: Call) -> Release:
    """Offer a yanked release again."""
    stewardship.set_yank(call.service, call.who, _release(call), reason=None)
    return release(call)


def _release(call: Call) -> tuple[str, str, str]:
    return call.path("publisher"), call.path("name"), call.path("version")
