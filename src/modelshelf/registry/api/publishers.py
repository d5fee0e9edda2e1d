"""Publishers: namespaces, with their owners and maintainers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from modelshelf.errors import NotAllowed
from modelshelf.package.record import Kind
from modelshelf.registry import accounts, releases, tables
from modelshelf.registry.accounts import Role
from modelshelf.registry.routing import Call, Resource

API = Resource("publishers")


class NewPublisher(msgspec.Struct, frozen=True):
    """A namespace to open; whoever asks becomes its owner."""

    name: str
    kind: Kind = "organization"
    display: Annotated[str, Meta(max_length=200)] | None = None


class Member(msgspec.Struct, frozen=True):
    """An account that belongs to a publisher."""

    account: str
    role: str


class Publisher(msgspec.Struct, frozen=True):
    """A namespace, who belongs to it, and the full names of its packages."""

    name: str
    kind: str
    display: str | None
    created: str
    members: tuple[Member, ...]
    packages: tuple[str, ...]


class NewRole(msgspec.Struct, frozen=True):
    """What a member may do: maintainers publish and yank, owners also change members."""

    role: Role


@API.route(
    "POST", "/api/v1/publishers", summary="Open a publisher", body=NewPublisher,
    returns=Publisher, scope="account", status=201,
)  # fmt: skip
def create(call: Call, body: NewPublisher) -> Publisher:
    """Open a namespace."""
    if call.who.publisher is not None:
        raise NotAllowed(f"This token is for the publisher `{call.who.publisher}` only")
    with call.service.database.writing() as connection:
        accounts.create_publisher(connection, body.name, body.kind, body.display, call.who.account)
    return _publisher(call, body.name)


@API.route("GET", "/api/v1/publishers/{publisher}", summary="A publisher", returns=Publisher)
def read(call: Call) -> Publisher:
    """Show a publisher with its members and packages."""
    return _publisher(call, call.path("publisher"))


@API.route(
    "PUT", "/api/v1/publishers/{publisher}/members/{account}",
    summary="Add a member, or change the role of one", body=NewRole, returns=Publisher,
    scope="account",
)  # fmt: skip
def set_member(call: Call, body: NewRole) -> Publisher:
    """Give an account a role."""
    return _set_member(call, body.role)


@API.route(
    "DELETE", "/api/v1/publishers/{publisher}/members/{account}", summary="Remove a member",
    returns=Publisher, scope="account",
)  # fmt: skip
def remove_member(call: Call) -> Publisher:
    """Take an account's role away; the last owner stays."""
    return _set_member(call, None)


def _set_member(call: Call, role: Role | None) -> Publisher:
    publisher = call.path("publisher")
    with call.service.database.writing() as connection:
        accounts.members(connection, publisher)
        accounts.require_role(connection, call.who, publisher, ("owner",))
        accounts.set_member(connection, publisher, call.path("account"), role)
    return _publisher(call, publisher)


def _publisher(call: Call, name: str) -> Publisher:
    with call.service.database.reading() as connection:
        members = accounts.members(connection, name)
        row = connection.execute(select(tables.publishers).filter_by(name=name)).one()
        packages = releases.packages_of(connection, name)
    listed = tuple(Member(account, role) for account, role in members.items())
    return Publisher(row.name, row.kind, row.display, row.created, listed, tuple(packages))
