"""Tokens: made with the account's password, shown once, listed, revoked."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from modelshelf.errors import NotAllowed
from modelshelf.registry import accounts, tables
from modelshelf.registry.accounts import DEFAULT_SCOPES, Scope
from modelshelf.registry.routing import PASSWORD, Call, Resource

API = Resource("tokens")


class NewToken(msgspec.Struct, frozen=True):
    """A token to make. Without `publisher` it acts for all of the account's publishers."""

    name: Annotated[str, Meta(max_length=200)] | None = None
    scopes: tuple[Scope, ...] = DEFAULT_SCOPES
    publisher: str | None = None
    expires_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Made(msgspec.Struct, frozen=True):
    """A new token; `token` is never shown again."""

    id: str
    token: str
    scopes: tuple[str, ...]
    expires: str


class Listed(msgspec.Struct, frozen=True):
    """A token as its account sees it later."""

    id: str
    name: str | None
    scopes: tuple[str, ...]
    publisher: str | None
    created: str
    expires: str


class Tokens(msgspec.Struct, frozen=True):
    """All tokens of an account."""

    tokens: tuple[Listed, ...]


@API.route(
    "POST", "/api/v1/tokens", summary="Make a token", body=NewToken, returns=Made,
    scope=PASSWORD, status=201,
)  # fmt: skip
def create(call: Call, body: NewToken) -> Made:
    """Make a token for the account whose password was given."""
    scopes = tuple(dict.fromkeys(body.scopes))
    with call.service.database.writing() as connection:
        identifier, token, expires = accounts.create_token(
            connection,
            call.who.account,
            name=body.name,
            scopes=scopes,
            publisher=body.publisher,
            days=body.expires_days or call.service.settings.token_days,
        )
    return Made(identifier, token, scopes, expires)


@API.route("GET", "/api/v1/tokens", summary="My tokens", returns=Tokens, scope="account")
def listing(call: Call) -> Tokens:
    """List the account's tokens, without their secrets."""
    _require_whole(call)
    columns = tables.tokens.c
    query = select(tables.tokens).where(columns.account == call.who.account)
    with call.service.database.reading() as connection:
        rows = connection.execute(query.order_by(columns.created)).all()
    return Tokens(
        tuple(
            Listed(
                row.id, row.name, tuple(row.scopes.split()), row.publisher, row.created,
                row.expires,
            )
            for row in rows
        )
    )  # fmt: skip


@API.route("DELETE", "/api/v1/tokens/{id}", summary="Revoke a token", scope="account", status=204)
def delete(call: Call) -> None:
    """Revoke a token at once."""
    _require_whole(call)
    with call.service.database.writing() as connection:
        accounts.revoke(connection, call.who.account, call.path("id"))


def _require_whole(call: Call) -> None:
    """A token for one publisher is not for the account: it must not take the others away."""
    if call.who.publisher is not None:
        raise NotAllowed(f"This token is for the publisher `{call.who.publisher}` only")
