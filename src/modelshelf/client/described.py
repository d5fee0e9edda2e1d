"""Releases that a registry only describes: what is said to who wants to install one."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf.errors import NotFound
from modelshelf.package.entry import Entry, unavailable
from modelshelf.package.requirement import Requirement
from modelshelf.package.version import Version


def require_files(name: str, entries: Iterable[Entry], asked: Requirement) -> None:
    """Raise NotFound where what is asked for is only described: what it is, and who can help."""
    meant = [
        each for each in entries if each.described and asked.matches(Version.parse(each.version))
    ]
    if not meant:
        return
    newest = max(meant, key=lambda each: Version.parse(each.version))
    hub = newest.upstream.hub if newest.upstream else "HUB"
    raise NotFound(
        f"{name} {newest.version} cannot be installed, it is {unavailable(newest)}",
        hint="whoever runs the registry can bring the files: "
        f"shelf registry import {hub}:DIR with --assets FILES or --fetch",
    )
