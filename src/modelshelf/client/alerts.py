"""A word on newer releases when a model is loaded: at most once a day, never waited for.

`load` looks only at what the disk knows of the registry's index. Where that is older than a day, a
thread in the background asks for it, for the next time; that it cannot harms nobody.
MODELSHELF_ALERTS=0, or `"alerts": false` in settings.json, turns all of it off, as does offline.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from modelshelf.client.remote import Registry, newest
from modelshelf.client.settings import alerting, settings, settings_for
from modelshelf.client.shelf import Shelf
from modelshelf.errors import ShelfError
from modelshelf.package.entry import Entry, advisory
from modelshelf.package.lock import Locked
from modelshelf.package.version import Version

ALERTS = "MODELSHELF_ALERTS"
interval_seconds = 24 * 3600.0
_log = logging.getLogger("modelshelf")


def alert(shelf: Shelf, name: str) -> None:
    """Log a line where the registry has more to say of a package on the shelf than was told today."""
    if not _wanted():
        return
    with suppress(ShelfError, OSError):
        package = shelf.locked(name)
        own = settings()
        chosen = settings_for(package.registry, own)
        if chosen.token is None and chosen.registry != own.registry:
            return  # an address that only a project names is not asked behind the user's back
        registry = Registry(chosen)
        kept = registry.kept(name)
        marks = chosen.home / "alerts"
        file = name.replace("/", "--")
        if (kept is None or _old(kept[1])) and _due(marks / f"{file}.asked"):
            _ask(registry, name)
        told = message(package, kept[0]) if kept else None
        if told and _due(marks / f"{file}@{package.version}"):
            _log.warning("%s", told)


def message(package: Locked, entries: tuple[Entry, ...]) -> str | None:
    """What there is to say of a locked release: a warning, or a newer release; None for nothing."""
    who = f"{package.name} {package.version}"
    here = next((each for each in entries if each.version == package.version), None)
    if here is None:
        return None  # what is known of the index is older than the lock
    if warned := advisory(here):
        return f"{who} is {warned}"
    latest = newest(entries)
    if Version.parse(latest.version) <= Version.parse(package.version):
        return None
    return f"{who} is loaded, {latest.version} is out: shelf outdated tells what changed"


def _wanted() -> bool:
    told = os.environ.get(ALERTS)
    if os.environ.get("MODELSHELF_OFFLINE", "") not in ("", "0"):
        return False
    return told not in ("0", "false", "off") if told is not None else alerting()


def _old(moment: float) -> bool:
    return time.time() - moment > interval_seconds


def _due(mark: Path) -> bool:
    """Whether nothing was told since yesterday; from now on something was."""
    try:
        if not _old(mark.stat().st_mtime):
            return False
    except OSError:
        mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return True


def _ask(registry: Registry, name: str) -> None:
    """Fetch the index for the next time; the program ends without waiting for it."""

    def asked() -> None:
        with suppress(ShelfError, OSError):
            registry.entries(name)

    threading.Thread(target=asked, name="modelshelf-alerts", daemon=True).start()
