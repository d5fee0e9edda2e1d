"""Recipes of files, asked of a registry and kept in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from modelshelf.client.http import Answer, Connection, NoRegistry
from modelshelf.errors import IntegrityError, NetworkError, NotFound
from modelshelf.store import recipes
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import Recipe, loads


def current(
    http: Connection,
    store: DiskStore,
    sha256: str,
    size: int,
    headers: Mapping[str, str],
    received: Callable[[int], None],
) -> Recipe | None:
    """The recipe of a file as the registry has it now, None where there is none.

    One that has not changed is not sent again; where the registry has none, or does not answer,
    the one kept will do.
    `received` is told how many bytes came. Raises NetworkError, IntegrityError for a forged one.
    """
    before = recipes.kept(store.root, sha256)
    known = _read(store, sha256, size, before)
    asked = {"If-None-Match": _tag(before)} if known and before else {}
    try:
        answer = http.get(f"/recipes/{sha256}", {**headers, **asked})
    except (NotFound, NoRegistry):
        return known
    except NetworkError:
        if known is None:
            raise
        return known
    return known if answer.status == 304 else _new(store, sha256, size, answer, received)


def known(
    http: Connection, store: DiskStore, sha256: str, size: int, *, ask: bool = True
) -> Recipe | None:
    """The recipe that is kept, else, if we may `ask`, the registry's, as `current` gives it."""
    found = _read(store, sha256, size, recipes.kept(store.root, sha256))
    if found or not ask:
        return found
    return current(http, store, sha256, size, {}, lambda _count: None)


def _new(
    store: DiskStore, sha256: str, size: int, answer: Answer, received: Callable[[int], None]
) -> Recipe:
    received(len(answer.body))
    recipe = loads(answer.body, size)
    recipes.keep(store.root, sha256, answer.body)
    return recipe


def _read(store: DiskStore, sha256: str, size: int, body: bytes | None) -> Recipe | None:
    """The recipe that was kept; a damaged one is forgotten."""
    if body is None:
        return None
    try:
        return loads(body, size)
    except IntegrityError:
        recipes.forget(store.root, sha256)
        return None


def _tag(body: bytes) -> str:
    """The ETag that registries give a recipe."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
