"""Recipes of files, asked of a registry and kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelshelf.client.http import Connection, NoRegistry
from modelshelf.errors import IntegrityError, NetworkError, NotFound
from modelshelf.store import recipes
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import Recipe, lengthened, loads, tag


def current(
    http: Connection,
    store: DiskStore,
    sha256: str,
    size: int,
    headers: Mapping[str, str],
    received: Callable[[int], None],
    before: str | None = None,
) -> Recipe | None:
    """The recipe of a file as the registry has it now, None where there is none.

    One that has not changed is not sent again; where the registry has none, or does not answer,
    the one kept will do.
    `received` is told how many bytes came: few, where the recipe of the file `before` is kept. Raises NetworkError, IntegrityError for a forged one.
    """
    body = recipes.kept(store.root, sha256)
    known = _read(store, sha256, size, body)
    asked = {"If-None-Match": tag(body)} if known and body else {}
    former = _former(store, before) if before and not known else None
    query = f"?after={before}" if former else ""
    try:
        answer = http.get(f"/recipes/{sha256}{query}", {**headers, **asked})
    except (NotFound, NoRegistry):
        return known
    except NetworkError:
        if known is None:
            raise
        return known
    if answer.status == 304:
        return known
    received(len(answer.body))
    told_after = former is not None and answer.headers.get("shelf-after") == before
    found = lengthened(answer.body, former) if former and told_after else answer.body
    recipe = loads(found, size)
    recipes.keep(store.root, sha256, found)
    return recipe


def known(
    http: Connection,
    store: DiskStore,
    sha256: str,
    size: int,
    *,
    before: str | None = None,
    ask: bool = True,
) -> Recipe | None:
    """The recipe that is kept, else, if we may `ask`, the registry's, as `current` gives it."""
    found = _read(store, sha256, size, recipes.kept(store.root, sha256))
    if found or not ask:
        return found
    return current(http, store, sha256, size, {}, lambda _count: None, before)


def _read(store: DiskStore, sha256: str, size: int, body: bytes | None) -> Recipe | None:
    """The recipe that was kept; a damaged one is forgotten."""
    if body is None:
        return None
    try:
        return loads(body, size)
    except IntegrityError:
        recipes.forget(store.root, sha256)
        return None


def _former(store: DiskStore, sha256: str) -> Recipe | None:
    """The recipe of a file that is here, if that is kept."""
    body = recipes.kept(store.root, sha256) if store.has(sha256) else None
    return _read(store, sha256, store.size(sha256), body) if body else None
