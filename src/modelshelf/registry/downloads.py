"""Downloads: an append-only log file a day, counted by a job; never an UPDATE per request.

An install is one install id fetching files of one release, however many requests that takes.
Clients are told apart by a hash of their address with a salt that is thrown away after its day.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from modelshelf.registry import clock, log, tables
from modelshelf.registry.database import Database

_HEADER = re.compile(r"([A-Za-z0-9_-]{1,64}) ([a-z0-9-]+)/([a-z0-9-]+)@([0-9A-Za-z.+-]{1,128})")
_LOG_NAME = re.compile(r"\d{4}-\d{2}-\d{2}\.jsonl")
_SALT_DAYS = 2


class Event(msgspec.Struct, frozen=True):
    """One GET of a file as part of an install: so many `bytes` were sent; `client` is a salted hash."""

    time: str
    install: str
    publisher: str
    name: str
    version: str
    sha256: str
    client: str
    bytes: int = 0


class Count(msgspec.Struct, frozen=True):
    """Installs of one release on one day, and by how many clients."""

    version: str
    day: str
    installs: int
    clients: int


class Downloads(msgspec.Struct, frozen=True):
    """How often a package was installed."""

    total: int = 0
    last_30_days: int = 0


class DownloadLog:
    """The log files in `folder`, one a day, one JSON line an event."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._salt: tuple[date, bytes] | None = None
        self._turn = threading.Lock()

    def write(self, header: str, sha256: str, client: str, sent: int) -> None:
        """Log one GET with its `Shelf-Install: ID PUBLISHER/NAME@VERSION`, and the bytes `sent`.

        Odd headers count for nothing, and trouble with the log never stops a download.
        """
        match = _HEADER.fullmatch(header)
        if match is None:
            return
        install, publisher, name, version = match.groups()
        try:
            day = clock.today()
            line = msgspec.json.encode(
                Event(
                    clock.now(),
                    install,
                    publisher,
                    name,
                    version,
                    sha256,
                    self._hash(client, day),
                    sent,
                )
            )
            self._append(self.folder / f"{day}.jsonl", line + b"\n")
        except OSError:
            log.failure("download not logged")

    def days(self) -> list[tuple[str, Path]]:
        """(day, log file), oldest first."""
        return sorted(
            (path.stem, path) for path in self.folder.iterdir() if _LOG_NAME.fullmatch(path.name)
        )

    def forget_salts(self) -> None:
        """Throw away the salts of past days: their hashes then tell nothing of anyone."""
        limit = (clock.today() - timedelta(days=_SALT_DAYS)).isoformat()
        for path in self.folder.glob("*.salt"):
            if path.stem < limit:
                path.unlink(missing_ok=True)

    def _append(self, path: Path, line: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _hash(self, client: str, day: date) -> str:
        with self._turn:
            if self._salt is None or self._salt[0] != day:
                self._salt = (day, _salt(self.folder / f"{day}.salt"))
            salt = self._salt[1]
        return hashlib.blake2b(client.encode(), key=salt, digest_size=12).hexdigest()


def aggregate(database: Database, downloads: DownloadLog) -> set[tuple[str, str]]:
    """Count every log that has grown since it was last counted; return the packages concerned.

    A day is always counted as a whole, so that doing it twice changes nothing.
    """
    with database.reading() as connection:
        query = select(tables.download_logs.c.day, tables.download_logs.c.counted_bytes)
        counted = {row.day: row.counted_bytes for row in connection.execute(query)}
    touched: set[tuple[str, str]] = set()
    for day, path in downloads.days():
        size = path.stat().st_size
        if counted.get(day) != size:
            touched |= _count_day(database, day, path, size)
    return touched


def totals(connection: Connection, publisher: str, name: str) -> Downloads:
    """Installs of a package, over all time and over the last thirty days."""
    columns = tables.downloads.c
    total = select(func.coalesce(func.sum(columns.installs), 0)).where(
        columns.publisher == publisher, columns.name == name
    )
    since = (clock.today() - timedelta(days=29)).isoformat()
    recent = total.where(columns.day >= since)
    return Downloads(
        int(connection.execute(total).scalar_one()), int(connection.execute(recent).scalar_one())
    )


def by_day(connection: Connection, publisher: str, name: str) -> list[Count]:
    """Counts per day and release, newest day first."""
    columns = tables.downloads.c
    query = (
        select(columns.version, columns.day, columns.installs, columns.clients)
        .where(columns.publisher == publisher, columns.name == name)
        .order_by(columns.day.desc(), columns.version)
    )
    return [Count(*row) for row in connection.execute(query)]


def _salt(path: Path) -> bytes:
    """The day's salt, kept so that a restart does not count everyone twice."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def _events(path: Path, size: int) -> Iterator[Event]:
    decoder = msgspec.json.Decoder(Event)
    with path.open("rb") as file:
        while file.tell() < size and (line := file.readline()):
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError:
                continue  # a line that a crash cut short


def _count_day(database: Database, day: str, path: Path, size: int) -> set[tuple[str, str]]:
    installs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    clients: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    with database.writing() as connection:
        for event in _events(path, size):
            release = (event.publisher, event.name, event.version)
            if event.install in installs[release] or _belongs(connection, release, event.sha256):
                installs[release].add(event.install)
                clients[release].add(event.client)
        connection.execute(delete(tables.downloads).where(tables.downloads.c.day == day))
        rows = [
            {
                "publisher": release[0], "name": release[1], "version": release[2], "day": day,
                "installs": len(found), "clients": len(clients[release]),
            }
            for release, found in installs.items() if found
        ]  # fmt: skip
        if rows:
            connection.execute(insert(tables.downloads), rows)
        logs = tables.download_logs
        connection.execute(delete(logs).where(logs.c.day == day))
        connection.execute(insert(logs), {"day": day, "counted_bytes": size})
    return {(row["publisher"], row["name"]) for row in rows}  # type: ignore[misc]  # both are text


def _belongs(connection: Connection, release: tuple[str, str, str], sha256: str) -> bool:
    """Whether the file is one of the release's: anything may be claimed in a header."""
    columns = tables.release_files.c
    query = select(columns.path).where(
        columns.publisher == release[0],
        columns.name == release[1],
        columns.version == release[2],
        columns.sha256 == sha256,
    )
    return connection.execute(query.limit(1)).first() is not None
