"""All parts of one running registry, as the modules that use them receive them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.registry.accounts import Passwords, Throttle
from modelshelf.registry.comparisons import Comparisons
from modelshelf.registry.database import Database, migrate
from modelshelf.registry.downloads import DownloadLog
from modelshelf.registry.index import Documents
from modelshelf.registry.jobs import Jobs
from modelshelf.registry.search import Search
from modelshelf.registry.settings import Settings
from modelshelf.store.disk import DiskStore


@dataclass(frozen=True)
class Kept:
    """What a registry keeps, whether it runs or not: its settings, its database, its bytes."""

    settings: Settings
    database: Database
    store: DiskStore


@dataclass(frozen=True)
class Service(Kept):
    """A registry that runs: what it keeps, and what is derived from that."""

    search: Search
    downloads: DownloadLog
    documents: Documents
    passwords: Passwords
    throttle: Throttle
    jobs: Jobs
    comparisons: Comparisons
    refresh: Callable[[str, str], None]
    """Make everything derived from package (publisher, name) anew."""
    count: Callable[[], None]
    """Count the downloads that were logged since the last time."""


def open_kept(settings: Settings) -> Kept:
    """Open the database, its tables brought up to date, and the folder of the bytes."""
    database = Database(settings)
    migrate(database, settings)
    return Kept(settings, database, DiskStore(settings.data / "store", fsync=settings.fsync))
