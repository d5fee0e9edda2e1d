"""Accounts, publishers with their members, tokens: who may do what."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, and_, delete, insert, select, update

from modelshelf.errors import Conflict, Invalid, NotAllowed, NotFound, ShelfError
from modelshelf.package import name as names
from modelshelf.registry import clock, tables
from modelshelf.registry.replies import Answer

Role = Literal["owner", "maintainer"]
Scope = Literal["read", "publish", "yank", "account"]
SCOPES: tuple[Scope, ...] = ("read", "publish", "yank", "account")
DEFAULT_SCOPES: tuple[Scope, ...] = ("read", "publish", "yank")
TOKEN_PREFIX = "shelf_"  # noqa: S105 (the prefix by which scanners recognise a token)
longest_password_characters = 1024
shortest_password_characters = 8


@dataclass(frozen=True)
class Identity:
    """Who is asking: an account, what its token may do, and the only publisher it may touch."""

    account: str
    scopes: frozenset[str]
    publisher: str | None = None


most_waiting_logins = 8
"""Beyond these, logins are told to come again: they must not take the threads of all the others."""


class Passwords:
    """argon2id hashes; at most two are computed at once, so that logins cannot eat the memory."""

    def __init__(self, memory_kib: int) -> None:
        self._hasher = PasswordHasher(memory_cost=memory_kib, parallelism=1)
        self._turn = threading.Semaphore(2)
        self._places = threading.Semaphore(most_waiting_logins)
        self._nobody = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """The hash to keep; raises Invalid for a password that is too short or too long."""
        if not shortest_password_characters <= len(password) <= longest_password_characters:
            raise Invalid(
                "The password is too short or too long",
                expected=f"{shortest_password_characters} to {longest_password_characters} characters",
                got=len(password),
            )
        with self._queued():
            return self._hasher.hash(password)

    def matches(self, hashed: str | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is no such account."""
        try:
            with self._queued():
                self._hasher.verify(hashed or self._nobody, password[:longest_password_characters])
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    @contextlib.contextmanager
    def _queued(self) -> Iterator[None]:
        """Wait for a turn, in a short queue. Raises an Answer of 503 where it is full."""
        if not self._places.acquire(blocking=False):
            busy = ShelfError("Too many people log in at this moment: try again")
            raise Answer(503, busy, headers={"retry-after": "1"})
        try:
            with self._turn:
                yield
        finally:
            self._places.release()


class Throttle:
    """Counts failed logins per key; after `limit` within `window_seconds`, says how long to wait."""

    def __init__(self, limit: int = 10, window_seconds: float = 300) -> None:
        self._limit, self._window = limit, window_seconds
        self._failures: dict[str, list[float]] = {}
        self._turn = threading.Lock()

    def wait_seconds(self, key: str) -> int:
        """How long `key` has to wait before it may try again; 0 if it may now."""
        with self._turn:
            recent = self._recent(key)
            if len(recent) < self._limit:
                return 0
            return max(1, int(recent[-self._limit] + self._window - time.monotonic()) + 1)

    def failed(self, key: str) -> None:
        """Remember one failure."""
        with self._turn:
            if len(self._failures) > 10_000:
                self._failures = {k: v for k in list(self._failures) if (v := self._recent(k))}
            self._failures[key] = [*self._recent(key), time.monotonic()]

    def _recent(self, key: str) -> list[float]:
        since = time.monotonic() - self._window
        return [moment for moment in self._failures.get(key, ()) if moment > since]


def take_name(connection: Connection, space: str, image: str, owner: str) -> None:
    """Enter a name in the ledger of names, for ever. Raises Conflict, naming who has it."""
    held = select(tables.names.c.owner).where(
        tables.names.c.space == space, tables.names.c.image == image
    )
    taken = connection.execute(held).scalar()
    if taken is not None:
        raise Conflict(
            f"The name `{owner}` is taken, or too much like `{taken}`",
            where=f"{space}: {image}",
            hint="choose another name; names are never given out twice",
        )
    row = {"space": space, "image": image, "owner": owner, "since": clock.now()}
    connection.execute(insert(tables.names), row)


def create_account(connection: Connection, name: str, password: str, email: str | None) -> None:
    """Open an account (`password` is already hashed) and the publisher of the same name."""
    require_name(name)
    take_name(connection, "publisher", names.folded(name), name)
    row = {"name": name, "password": password, "email": email, "created": clock.now()}
    connection.execute(insert(tables.accounts), row)
    _add_publisher(connection, name, "person", None, name)


def create_publisher(
    connection: Connection, name: str, kind: str, display: str | None, owner: str
) -> None:
    """Open a namespace owned by account `owner`. Raises Conflict when the name is taken."""
    require_name(name)
    take_name(connection, "publisher", names.folded(name), name)
    _add_publisher(connection, name, kind, display, owner)


def require_name(name: str) -> None:
    """Raise Invalid unless `name` can name an account and a publisher."""
    if wrong := names.part_problem(name, reserved=names.RESERVED):
        raise Invalid(wrong, got=name[:80])


def _add_publisher(
    connection: Connection, name: str, kind: str, display: str | None, owner: str
) -> None:
    row = {"name": name, "kind": kind, "display": display, "created": clock.now()}
    connection.execute(insert(tables.publishers), row)
    member = {"publisher": name, "account": owner, "role": "owner"}
    connection.execute(insert(tables.members), member)


def roles(connection: Connection, account: str) -> dict[str, str]:
    """Publisher → role, of one account."""
    members = tables.members.c
    query = select(members.publisher, members.role).where(members.account == account)
    return {row.publisher: row.role for row in connection.execute(query.order_by("publisher"))}


def members(connection: Connection, publisher: str) -> dict[str, str]:
    """Account → role, of one publisher; raises NotFound when there is no such publisher."""
    columns = tables.members.c
    query = select(columns.account, columns.role).where(columns.publisher == publisher)
    found = {row.account: row.role for row in connection.execute(query.order_by("account"))}
    if not found:
        raise NotFound("There is no such publisher", where=publisher)
    return found


def require_role(
    connection: Connection, identity: Identity, publisher: str, allowed: Iterable[str]
) -> None:
    """Raise NotAllowed unless `identity` has one of the roles and its token is for `publisher`."""
    if identity.publisher not in (None, publisher):
        raise NotAllowed(
            f"This token is for the publisher `{identity.publisher}` only", where=publisher
        )
    role = roles(connection, identity.account).get(publisher)
    if role not in tuple(allowed):
        raise NotAllowed(
            f"`{identity.account}` may not do this for `{publisher}`",
            where=publisher,
            expected=" or ".join(allowed),
            got=role or "no member",
            hint=f"an owner of `{publisher}` can add members",
        )


def set_member(connection: Connection, publisher: str, account: str, role: str | None) -> None:
    """Give `account` a role, or none; refuses (Conflict) to leave a publisher without an owner."""
    known = members(connection, publisher)
    if connection.execute(select(tables.accounts.c.name).filter_by(name=account)).scalar() is None:
        raise NotFound("There is no such account", where=account)
    owners = {one for one, held in known.items() if held == "owner"}
    if role != "owner" and owners == {account}:
        raise Conflict("A publisher keeps at least one owner", where=publisher, got=account)
    columns = tables.members.c
    this = and_(columns.publisher == publisher, columns.account == account)
    if role is None:
        connection.execute(delete(tables.members).where(this))
    elif account in known:
        connection.execute(update(tables.members).where(this).values(role=role))
    else:
        row = {"publisher": publisher, "account": account, "role": role}
        connection.execute(insert(tables.members), row)


def password_of(connection: Connection, account: str) -> str | None:
    """The kept hash of an account's password, or None when there is no such account."""
    query = select(tables.accounts.c.password).where(tables.accounts.c.name == account)
    return connection.execute(query).scalar()


def create_token(
    connection: Connection,
    account: str,
    *,
    name: str | None,
    scopes: tuple[Scope, ...],
    publisher: str | None,
    days: int,
) -> tuple[str, str, str]:
    """A new token → (id, token, expiry). Only its sha256 is kept: it is shown this once."""
    if publisher is not None and publisher not in roles(connection, account):
        raise NotAllowed(f"`{account}` is no member of `{publisher}`", where=publisher)
    token = TOKEN_PREFIX + secrets.token_hex(32)
    row = {
        "id": secrets.token_hex(8),
        "account": account,
        "digest": hashlib.sha256(token.encode()).hexdigest(),
        "name": name,
        "scopes": " ".join(scopes),
        "publisher": publisher,
        "created": clock.now(),
        "expires": clock.now(plus_seconds=days * 86_400),
    }
    connection.execute(insert(tables.tokens), row)
    return str(row["id"]), token, str(row["expires"])


def identify(connection: Connection, token: str) -> Identity:
    """Whose token this is; raises NotAllowed for an unknown or expired one."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = connection.execute(select(tables.tokens).filter_by(digest=digest)).first()
    if row is None:
        raise NotAllowed("The token is not known here", hint="`shelf login` makes a new one")
    if row.expires <= clock.now():
        raise NotAllowed(
            "The token has expired", got=row.expires, hint="`shelf login` makes a new one"
        )
    return Identity(row.account, frozenset(row.scopes.split()), row.publisher)


def revoke(connection: Connection, account: str, identifier: str) -> None:
    """Forget a token of `account`; raises NotFound."""
    columns = tables.tokens.c
    statement = delete(tables.tokens).where(columns.id == identifier, columns.account == account)
    if connection.execute(statement).rowcount == 0:
        raise NotFound("There is no such token", where=identifier[:32])
