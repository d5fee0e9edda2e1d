"""Work to be done soon and surely: a table of jobs, enqueued in the transaction that asks for it.

A job is done at least once: handlers are idempotent. A worker claims a job by moving its due time
ahead, so that one left by a killed worker comes round again by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from modelshelf.registry import clock, log, tables
from modelshelf.registry.database import Database

LEASE_SECONDS = 300
POLL_SECONDS = 1.0
REFRESH_ALL = "refresh-all"
"""Make what is derived from some packages (`publisher/name`, a blank between them) anew."""
Handler = Callable[[dict[str, str]], None]


class Periodic(NamedTuple):
    """Something to be done again and again, `seconds` apart."""

    name: str
    seconds: float
    run: Callable[[], None]
    first_seconds: float


def enqueue(connection: Connection, kind: str, payload: Mapping[str, str]) -> int:
    """Add a job to the transaction of `connection`; return its id."""
    done = connection.execute(insert(tables.jobs).values(**_row(kind, payload)))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def enqueue_once(
    connection: Connection, kind: str, payload: Mapping[str, str], *, delay_seconds: float = 0.0
) -> None:
    """Add a job, due after a while, unless the same one waits already and nobody has begun it."""
    columns = tables.jobs.c
    same = select(columns.id).where(
        columns.kind == kind,
        columns.payload == msgspec.json.encode(payload).decode(),
        columns.state == "waiting",
        columns.attempts == 0,
    )
    if connection.execute(same.limit(1)).first() is None:
        row = _row(kind, payload) | {"due": clock.now(plus_seconds=delay_seconds)}
        connection.execute(insert(tables.jobs).values(**row))


def enqueue_all(connection: Connection, kind: str, payloads: Iterable[Mapping[str, str]]) -> None:
    """Add many jobs of a kind, leaving out those that wait already."""
    columns = tables.jobs.c
    known = select(columns.payload).where(columns.kind == kind, columns.state == "waiting")
    waiting = set(connection.execute(known).scalars())
    rows = [row for each in payloads if (row := _row(kind, each))["payload"] not in waiting]
    if rows:
        connection.execute(insert(tables.jobs), rows)


def _row(kind: str, payload: Mapping[str, str]) -> dict[str, object]:
    return {
        "kind": kind,
        "payload": msgspec.json.encode(payload).decode(),
        "state": "waiting",
        "attempts": 0,
        "due": clock.now(),
    }


def finish(connection: Connection, identifier: int) -> None:
    """Forget a job that is done."""
    connection.execute(delete(tables.jobs).where(tables.jobs.c.id == identifier))


class Jobs:
    """The worker: one thread that runs what is due, with retries ever further apart."""

    def __init__(self, database: Database, attempts: int) -> None:
        self._database = database
        self._attempts = attempts
        self._handlers: dict[str, Handler] = {}
        self._periodic: list[Periodic] = []
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def handle(self, kind: str, handler: Handler) -> None:
        """Let `handler` do the jobs of this kind; it receives the payload."""
        self._handlers[kind] = handler

    def every(
        self, seconds: float, name: str, run: Callable[[], None], *, first_seconds: float = 0.0
    ) -> None:
        """Run something again and again, for the first time `first_seconds` after the start."""
        self._periodic.append(Periodic(name, seconds, run, first_seconds))

    def start(self) -> None:
        """Start the thread."""
        self._stopping.clear()
        self.take_over()
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._thread.start()

    def take_over(self) -> None:
        """Let the jobs be due that a killed worker had begun, on SQLite, where no other works.

        Not those that were begun twice: they may be what killed it.
        """
        if self._database.engine.dialect.name != "sqlite":
            return
        columns = tables.jobs.c
        with self._database.writing() as connection:
            connection.execute(
                update(tables.jobs)
                .where(columns.state == "waiting", columns.attempts == 1)
                .values(due=clock.now())
            )

    def stop(self, timeout_seconds: float) -> None:
        """Finish the job in hand and end the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def wake(self) -> None:
        """Look for jobs now."""
        self._wake.set()

    def run_due(self) -> int:
        """Do all jobs that are due; return how many were tried."""
        tried = 0
        while not self._stopping.is_set() and (row := self._claim()) is not None:
            self._run(*row)
            tried += 1
        return tried

    def _claim(self) -> tuple[int, str, str, int] | None:
        columns = tables.jobs.c
        due = (
            select(tables.jobs)
            .where(columns.state == "waiting", columns.due <= clock.now())
            .order_by(columns.due)
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(due).first()
        if row is None:
            return None
        claim = (
            update(tables.jobs)
            .where(columns.id == row.id, columns.due == row.due)
            .values(due=clock.now(plus_seconds=LEASE_SECONDS), attempts=row.attempts + 1)
        )
        with self._database.writing() as connection:
            won = connection.execute(claim).rowcount == 1
        return (row.id, row.kind, row.payload, row.attempts + 1) if won else self._claim()

    def _run(self, identifier: int, kind: str, payload: str, attempt: int) -> None:
        try:
            self._handlers[kind](msgspec.json.decode(payload, type=dict[str, str]))
        except Exception as error:  # noqa: BLE001 (whatever went wrong, the job is tried again)
            log.failure("job failed", kind=kind, payload=payload, attempt=attempt)
            self._failed(identifier, attempt, f"{type(error).__name__}: {error}")
        else:
            with self._database.writing() as connection:
                finish(connection, identifier)

    def _failed(self, identifier: int, attempt: int, error: str) -> None:
        state = "failed" if attempt >= self._attempts else "waiting"
        statement = (
            update(tables.jobs)
            .where(tables.jobs.c.id == identifier)
            .values(state=state, error=error, due=clock.now(plus_seconds=2.0**attempt))
        )
        with self._database.writing() as connection:
            connection.execute(statement)

    def _loop(self) -> None:
        waited = {each.name: each.first_seconds for each in self._periodic}
        while not self._stopping.is_set():
            try:
                self.run_due()
                self._run_periodic(waited)
            except Exception:  # noqa: BLE001 (the worker outlives a database that is away)
                log.failure("worker failed")
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _run_periodic(self, waited: dict[str, float]) -> None:
        for each in self._periodic:
            waited[each.name] -= POLL_SECONDS
            if waited[each.name] <= 0 and not self._stopping.is_set():
                waited[each.name] = each.seconds
                each.run()
