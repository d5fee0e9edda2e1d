"""The database: one engine, short reading and writing transactions, migrations at the start."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from filelock import FileLock
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.pool import ConnectionPoolEntry

from modelshelf.registry.settings import Settings

BUSY_SECONDS = 15


class Database:
    """Connections to the registry's database; `writing` is one atomic transaction."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database_url())
        self.engine = create_engine(url, pool_size=20, max_overflow=40, pool_pre_ping=True)
        if url.get_backend_name() == "sqlite":
            _prepare_sqlite(self.engine, fsync=settings.fsync)
        self._writer = self.engine.execution_options(shelf_writes=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and writes nothing."""
        with self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or undone by any exception."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; SQLite folds its log back into the file."""
        self.engine.dispose()


def migrate(database: Database, settings: Settings) -> None:
    """Bring the tables to this version; servers that start together take turns."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = database.engine
    with FileLock(settings.data / "migrate.lock"):
        command.upgrade(config, "head")


def _prepare_sqlite(engine: Engine, *, fsync: bool) -> None:
    synchronous = "FULL" if fsync else "OFF"

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transactions begin late; ours begin where the code says so.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its place in the queue at once: upgrading a read later can deadlock.
        writes = connection.get_execution_options().get("shelf_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
