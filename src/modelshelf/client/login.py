"""Accounts and tokens, seen from the user's side."""

from __future__ import annotations

import base64

from modelshelf.client.remote import Registry
from modelshelf.client.settings import Settings, keep_token
from modelshelf.errors import UsageError

SCOPES = ("read", "publish", "yank", "account")
"""What a person at the command line may do; tokens for machines are made narrower by the API."""


def create(registry: Registry, account: str, password: str) -> None:
    """Make an account and the publisher of the same name. Raises Conflict where it exists."""
    registry.ask("POST", "/accounts", {"name": account, "password": password})


def with_password(
    settings: Settings, registry: Registry, account: str, password: str, expires_days: int
) -> str:
    """Get a token for `account` and keep it. Raises NotAllowed for a wrong password."""
    basic = base64.b64encode(f"{account}:{password}".encode()).decode()
    told = registry.ask(
        "POST",
        "/tokens",
        {"name": "shelf login", "expires_days": expires_days, "scopes": SCOPES},
        Authorization=f"Basic {basic}",
    )
    keep_token(settings.home, settings.registry, str(told["token"]))
    return account


def with_token(settings: Settings, token: str) -> str:
    """Keep `token` after the registry said whose it is; gives that account.

    Raises NotAllowed where the registry does not know it.
    """
    if not token.startswith("shelf_"):
        raise UsageError("this is not a token", expected="shelf_…")
    registry = Registry(settings._replace(token=token))
    account = str(registry.ask("GET", "/me")["account"])
    keep_token(settings.home, settings.registry, token)
    return account
