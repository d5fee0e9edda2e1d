"""All parts of one running registry, as the modules that use them receive them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelshelf.registry import place
from modelshelf.registry.accounts import Passwords, Throttle
from modelshelf.registry.comparisons import Comparisons
from modelshelf.registry.database import Database, migrate
from modelshelf.registry.downloads import DownloadLog
from modelshelf.registry.index import Documents
from modelshelf.registry.jobs import Jobs
from modelshelf.registry.raw import RawFiles
from modelshelf.registry.search import Search
from modelshelf.registry.settings import Settings
from modelshelf.store.blobs import FOLDER, Blobs, DiskBlobs
from modelshelf.store.codec import Codec
from modelshelf.store.disk import DiskStore
from modelshelf.store.whole import Codecs, Few


@dataclass(frozen=True)
class Kept:
    """What a registry keeps, whether it runs or not: its settings, its database, its bytes.

    `store` has whole files (a cache, and what arrives), `blobs` all segments of what is published.
    """

    settings: Settings
    database: Database
    store: DiskStore
    blobs: Blobs
    codecs: Codecs
    raw: RawFiles


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
    """Open the database, its tables brought up to date, and the places of the bytes.

    Raises Conflict where segments lie elsewhere than the settings say.
    """
    place.require(settings)
    database = Database(settings)
    migrate(database, settings)
    store = DiskStore(settings.data / "store", fsync=settings.fsync)
    blobs, codecs = _blobs(settings), Few(Codec)
    raw = RawFiles(database, store, blobs, codecs, settings.raw_cache_bytes)
    return Kept(settings, database, store, blobs, codecs, raw)


def _blobs(settings: Settings) -> Blobs:
    if settings.blobs is None:
        return DiskBlobs(settings.data / FOLDER, fsync=settings.fsync)
    from modelshelf.store.s3 import S3Blobs

    return S3Blobs(settings.blobs)
