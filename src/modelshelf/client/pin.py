"""Pinning a release: all its files are brought into the store and kept there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from modelshelf.client import pins, transfer
from modelshelf.client.move import quiet
from modelshelf.client.remote import Registry, newest
from modelshelf.client.repair import fetch_document
from modelshelf.errors import NotFound
from modelshelf.package.entry import Entry
from modelshelf.package.lock import Locked


def pin(
    registry: Registry,
    name: str,
    version: str | None,
    showing: Callable[[int], AbstractContextManager[transfer.Progress]],
) -> tuple[Locked, transfer.Moved]:
    """Keep a release, the newest where no version is named; gives it and what was moved.

    `showing` is told how many bytes that will be, and gives the progress to tell of each piece.
    It is a root before its first byte arrives, and stays one where the fetching fails: the same
    call again goes on. Raises NotFound, and what `transfer.fetch` raises.
    """
    release = pins.whole(_found(registry.entries(name), name, version), registry.url)
    with quiet() as (settings, store):
        pins.keep(settings.home, release)
    fetch_document(registry.http, store, release.manifest)
    files = {file.sha256: file.size for file in release.installed_files()}
    wanted = [transfer.Wanted(*file) for file in files.items() if not store.has(file[0])]
    told = f"{release.name}@{release.version}"
    total = sum(file.size for file in wanted)
    with showing(total) as progress:
        moved = transfer.fetch(
            lambda: registry.http, store, wanted, release=told, progress=progress
        )
    return release, moved


def _found(entries: tuple[Entry, ...], name: str, version: str | None) -> Entry:
    if version is None:
        return newest(entries)
    found = next((each for each in entries if each.version == version), None)
    if found is None:
        raise NotFound(
            f"there is no release {version} of {name}",
            expected=", ".join(each.version for each in entries[-20:]),
        )
    return found
