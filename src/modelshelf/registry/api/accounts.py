"""Accounts: opening one, and who the holder of a token is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from modelshelf.errors import Refused
from modelshelf.registry import accounts
from modelshelf.registry.routing import ANY_TOKEN, Call, Resource

API = Resource("accounts")


class NewAccount(msgspec.Struct, frozen=True):
    """An account to open; its name also becomes a publisher."""

    name: str
    password: str
    email: Annotated[str, Meta(max_length=254)] | None = None


class Account(msgspec.Struct, frozen=True):
    """An account that was opened."""

    account: str
    publisher: str


class Membership(msgspec.Struct, frozen=True):
    """A publisher that an account belongs to, and as what."""

    name: str
    role: str


class Me(msgspec.Struct, frozen=True):
    """Who the holder of a token is, and what it may do."""

    account: str
    publishers: tuple[Membership, ...]
    scopes: tuple[str, ...]


@API.route(
    "POST", "/api/v1/accounts", summary="Open an account", body=NewAccount, returns=Account,
    status=201,
)  # fmt: skip
def open_account(call: Call, body: NewAccount) -> Account:
    """Open an account and the publisher of the same name."""
    if not call.service.settings.signup:
        raise Refused("This registry opens no accounts by itself", hint="ask its operator")
    accounts.require_name(body.name)
    hashed = call.service.passwords.hash(body.password)
    with call.service.database.writing() as connection:
        accounts.create_account(connection, body.name, hashed, body.email)
    return Account(body.name, body.name)


@API.route("GET", "/api/v1/me", summary="Who I am", returns=Me, scope=ANY_TOKEN)
def me(call: Call) -> Me:
    """Tell whose token this is; a token for one publisher shows only that one."""
    with call.service.database.reading() as connection:
        roles = accounts.roles(connection, call.who.account)
    shown = [
        Membership(name, role) for name, role in roles.items() if call.who.publisher in (None, name)
    ]
    return Me(call.who.account, tuple(shown), tuple(sorted(call.who.scopes)))
