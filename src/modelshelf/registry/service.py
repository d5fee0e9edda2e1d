"""All parts of one running registry, as the modules that use them receive them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.registry.accounts import Passwords, Throttle
from modelshelf.registry.database import Database
from modelshelf.registry.downloads import DownloadLog
from modelshelf.registry.index import Documents
from modelshelf.registry.jobs import Jobs
from modelshelf.registry.search import Search
from modelshelf.registry.settings import Settings
from modelshelf.store.disk import DiskStore


@dataclass(frozen=True)
class Service:
    """A registry: its settings, its database, its bytes, and what is derived from them."""

    settings: Settings
    database: Database
    store: DiskStore
    search: Search
    downloads: DownloadLog
    documents: Documents
    passwords: Passwords
    throttle: Throttle
    jobs: Jobs
    refresh: Callable[[str, str], None]
    """Make everything derived from package (publisher, name) anew."""
    count: Callable[[], None]
    """Count the downloads that were logged since the last time."""
