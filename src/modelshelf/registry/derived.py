"""What is derived from the database: index files, search, counts. All of it can be made again."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from modelshelf.errors import NotFound
from modelshelf.package.entry import Entry
from modelshelf.package.record import Record
from modelshelf.registry import downloads, families, handles, index, jobs, releases, staging
from modelshelf.registry.database import Database
from modelshelf.registry.downloads import DownloadLog
from modelshelf.registry.raw import RawFiles
from modelshelf.registry.search import Search, SearchDocument, document
from modelshelf.registry.settings import Settings
from modelshelf.store.disk import DiskStore

COUNT_SECONDS = 5.0
SWEEP_SECONDS = 600.0
LARGEST_README_BYTES = 100_000


class Derived:
    """Keeps everything derived up to date; every method may be run twice."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        store: DiskStore,
        raw: RawFiles,
        search: Search,
        counting: DownloadLog,
    ) -> None:
        self._settings = settings
        self._database = database
        self._store = store
        self._raw = raw
        self._search = search
        self._downloads = counting

    def refresh(self, publisher: str, name: str) -> None:
        """Make the index file and the search entry of one package anew; the families follow."""
        self._refresh(publisher, name)
        self._ask_for_families()

    def _refresh(self, publisher: str, name: str) -> None:
        index.refresh(self._database, self._settings.data / "index", publisher, name)
        with self._database.reading() as connection:
            found = _document(connection, self._raw, publisher, name)
        if found is None:
            self._search.remove([f"{publisher}/{name}"])
        else:
            self._search.add([found])

    def refresh_all(self, packages: list[tuple[str, str]]) -> None:
        """The same of several packages (publisher, name) at once."""
        for publisher, name in packages:
            index.refresh(self._database, self._settings.data / "index", publisher, name)
        found = list(self._documents(packages))
        there = {each.hit.name for each in found}
        self._search.remove({"/".join(each) for each in packages} - there)
        self._search.add(found)
        self._ask_for_families()

    def _ask_for_families(self) -> None:
        with self._database.writing() as connection:
            families.ask_for(connection)

    def rebuild(self) -> None:
        """Make everything anew for every package: after a loss, or a change of the forms."""
        with self._database.reading() as connection:
            packages = releases.all_packages(connection)
        for publisher, name in packages:
            index.refresh(self._database, self._settings.data / "index", publisher, name)
        self._search.rebuild(self._documents(packages))
        self._ask_for_families()

    def count(self) -> None:
        """Count the downloads logged since the last time."""
        touched = downloads.aggregate(self._database, self._downloads)
        for publisher, name in sorted(touched):
            self._refresh(publisher, name)

    def sweep(self) -> None:
        """Forget expired sessions, what they sent, and old salts."""
        staging.sweep(self._database, self._store, self._settings.session_seconds)
        self._downloads.forget_salts()

    def attach(self, worker: jobs.Jobs) -> None:
        """Have `worker` do all this when it is due."""
        worker.handle(
            "refresh", lambda payload: self.refresh(payload["publisher"], payload["name"])
        )
        worker.handle(jobs.REFRESH_ALL, self._refresh_all)
        worker.handle("rebuild", lambda _payload: self.rebuild())
        worker.every(COUNT_SECONDS, "count", self.count)
        worker.every(SWEEP_SECONDS, "sweep", self.sweep)

    def _refresh_all(self, payload: dict[str, str]) -> None:
        packages = [each.partition("/") for each in payload["packages"].split()]
        self.refresh_all([(publisher, name) for publisher, _, name in packages])

    def _documents(self, packages: list[tuple[str, str]]) -> Iterator[SearchDocument]:
        for publisher, name in packages:
            with self._database.reading() as connection:
                found = _document(connection, self._raw, publisher, name)
            if found is not None:
                yield found


def _document(
    connection: Connection, raw: RawFiles, publisher: str, name: str
) -> SearchDocument | None:
    """What search shall know of a package; None hides it (no release, quarantined, blocked)."""
    try:
        newest = releases.latest_release(connection, publisher, name)
    except NotFound:
        return None
    scan = newest.entry.scan
    if newest.entry.status == "quarantined" or (scan is not None and scan.withholds):
        return None
    installs = downloads.totals(connection, publisher, name).total
    text = readme(raw, newest.record, newest.entry)
    called = [each.handle for each in handles.of_package(connection, publisher, name)]
    return document(newest.record, newest.entry, readme=text, downloads=installs, handles=called)


def readme(raw: RawFiles, record: Record, entry: Entry) -> str:
    """The text of a release's readme, cut at 100 kB; empty where there is none."""
    path = record.package.readme
    sha256 = next((file.sha256 for file in entry.files if file.path == path), None)
    content = raw.head(sha256, LARGEST_README_BYTES) if sha256 else None
    return (content or b"").decode(errors="replace")
