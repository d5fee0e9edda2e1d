"""Recipes that a store keeps, as they came: `root/recipes/SHA256`, for files here or soon here."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from modelshelf.store.digest import is_sha256, require_sha256

FOLDER = "recipes"


def kept(root: Path, sha256: str) -> bytes | None:
    """The recipe of a file, None where the store at `root` has none."""
    try:
        return _place(root, sha256).read_bytes()
    except OSError:
        return None


def keep(root: Path, sha256: str, body: bytes) -> None:
    """Keep the recipe of a file; that it cannot be kept (a full disk) harms nobody."""
    place = _place(root, sha256)
    partial = place.with_name(f".{secrets.token_hex(8)}.part")
    with contextlib.suppress(OSError):
        try:
            place.parent.mkdir(exist_ok=True)
            partial.write_bytes(body)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)


def forget(root: Path, sha256: str) -> None:
    """Forget the recipe of a file."""
    with contextlib.suppress(OSError):
        _place(root, sha256).unlink(missing_ok=True)


def digests(root: Path) -> Iterator[str]:
    """The sha256 of each file whose recipe is kept."""
    with contextlib.suppress(OSError):
        yield from sorted(filter(is_sha256, os.listdir(root / FOLDER)))  # noqa: PTH208 (names only)


def sweep(root: Path, has: Callable[[str], bool], *, older_than_seconds: float) -> None:
    """Forget recipes that were kept so long ago for files that have not come since."""
    limit = time.time() - older_than_seconds
    for path in (root / FOLDER).glob("*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < limit and not (is_sha256(path.name) and has(path.name)):
                path.unlink()


def _place(root: Path, sha256: str) -> Path:
    return root / FOLDER / require_sha256(sha256)
