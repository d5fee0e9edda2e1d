"""Whole files beside the segments: a cache, and all there is of files without a recipe."""

from __future__ import annotations

import contextlib

from modelshelf.registry import recipes
from modelshelf.registry.fsck.state import Check
from modelshelf.registry.service import Kept
from modelshelf.store.digest import sha256_of


def look(check: Check, sha256: str) -> None:
    """Read a whole file; it must be there, and right, where the segments are not."""
    with check.kept.database.reading() as connection:
        has_recipe = recipes.body(connection, sha256) is not None
    path = check.kept.store.path(sha256)
    try:
        is_right = sha256_of(path) == sha256
        check.advance(path.stat().st_size)
    except FileNotFoundError:
        is_right = has_recipe
    if not is_right:
        mended = check.repair and _is_spare(check, sha256)
        if mended:
            check.kept.store.delete(sha256)
        check.tell("file", sha256, sha256, mended=mended)
    elif not has_recipe:
        check.tell("lacking", sha256, sha256)


def lying_bytes(kept: Kept) -> int:
    """The bytes of all files that lie whole."""
    total = 0
    for sha256 in kept.store.digests():
        with contextlib.suppress(FileNotFoundError):
            total += kept.store.path(sha256).stat().st_size
    return total


def _is_spare(check: Check, sha256: str) -> bool:
    """Whether the segments have it all: then it is made anew from them when it is asked for."""
    recipe = check.recipe(sha256)
    return recipe is not None and sha256 not in check.unfit and not check.lacks(recipe)
