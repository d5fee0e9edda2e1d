"""What fetching would move now: the bytes of the blobs that no file on this machine spares."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from modelshelf.client import recipes, segments
from modelshelf.client.http import Connection
from modelshelf.client.transfer import Wanted, threads
from modelshelf.errors import NetworkError, ShelfError
from modelshelf.store.disk import DiskStore
from modelshelf.store.parts import begun
from modelshelf.store.recipe import SMALL_BYTES, Recipe


def cost(http: Connection, store: DiskStore, file: Wanted) -> int:
    """The bytes that fetching this file alone would move; all of its own where that is not known."""
    return costs(http, store, [file])[file.sha256]


def costs(http: Connection, store: DiskStore, files: Iterable[Wanted]) -> dict[str, int]:
    """The same for each of several files that come together, in this order, by sha256.

    Recipes that are not here yet are asked for and kept.
    """
    files = list(files)
    known = _recipes(http, store, [file for file in files if not store.has(file.sha256)])
    found: dict[str, int] = {}
    coming: set[str] = set()
    for file in files:
        if store.has(file.sha256):
            found[file.sha256] = 0
        elif file.sha256 not in found:
            recipe = known.get(file.sha256)
            found[file.sha256] = _cost(store, file, recipe, found, coming) if recipe else file.size
    return found


def _cost(
    store: DiskStore, file: Wanted, recipe: Recipe, files: Iterable[str], coming: set[str]
) -> int:
    """What one file costs after others, whose segments are `coming`; its own are from then on."""
    there = begun(store, file.sha256, recipe)
    missing = [number for number in range(len(recipe.sizes)) if number not in there]
    needed = segments.needs(store, recipe, missing, frozenset(files))
    moved = sum(need.wire_bytes for need in needed if need.identifier not in coming)
    coming.update(identifier for identifier, _, _ in recipe.segments())
    return moved


def _recipes(
    http: Connection, store: DiskStore, files: Iterable[Wanted]
) -> dict[str, Recipe | None]:
    """The recipes of the large files; after one that could not be asked for, no other is."""
    large = [file for file in files if file.size >= SMALL_BYTES]
    away = False

    def ask(file: Wanted) -> Recipe | None:
        nonlocal away
        try:
            return recipes.known(
                http, store, file.sha256, file.size, before=file.before, ask=not away
            )
        except NetworkError:
            away = True
        except ShelfError:
            pass  # who fetches it will be told
        return None

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip((file.sha256 for file in large), pool.map(ask, large), strict=True))
