"""Jobs: enqueued with a transaction, done at least once, tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from modelshelf.registry import clock, tables
from modelshelf.registry.database import Database, migrate
from modelshelf.registry.jobs import LEASE_SECONDS, Jobs, enqueue
from modelshelf.registry.settings import Settings

LONG_AGO = "2020-01-01T00:00:00.000000Z"


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    settings.data.mkdir()
    made = Database(settings)
    migrate(made, settings)
    yield made
    made.close()


def states(database: Database) -> list[tuple[str, int]]:
    with database.reading() as connection:
        rows = connection.execute(select(tables.jobs.c.state, tables.jobs.c.attempts))
        return [(row.state, row.attempts) for row in rows]


def put(database: Database, **payload: str) -> None:
    with database.writing() as connection:
        enqueue(connection, "greet", payload)


def test_a_job_is_done_and_gone(database: Database) -> None:
    seen: list[dict[str, str]] = []
    jobs = Jobs(database, attempts=3)
    jobs.handle("greet", seen.append)
    put(database, who="ann")
    assert jobs.run_due() == 1
    assert seen == [{"who": "ann"}]
    assert states(database) == []


def test_what_a_killed_registry_had_begun_is_done_at_its_next_start(database: Database) -> None:
    done = threading.Event()
    jobs = Jobs(database, attempts=3)
    jobs.handle("greet", lambda _payload: done.set())
    put(database, who="ann")
    claimed = {"attempts": 1, "due": clock.now(plus_seconds=LEASE_SECONDS)}
    with database.writing() as connection:
        connection.execute(update(tables.jobs).values(**claimed))
    assert jobs.run_due() == 0
    jobs.start()
    assert done.wait(10)
    jobs.stop(10)


def test_what_killed_a_registry_twice_waits(database: Database) -> None:
    jobs = Jobs(database, attempts=3)
    put(database, who="ann")
    claimed = {"attempts": 2, "due": clock.now(plus_seconds=LEASE_SECONDS)}
    with database.writing() as connection:
        connection.execute(update(tables.jobs).values(**claimed))
    jobs.take_over()
    assert jobs.run_due() == 0


def test_a_job_of_an_undone_transaction_never_was(database: Database) -> None:
    def fails() -> None:
        with database.writing() as connection:
            enqueue(connection, "greet", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert states(database) == []


def test_a_job_is_tried_again_until_it_is_given_up(database: Database) -> None:
    def handler(payload: dict[str, str]) -> None:
        raise ValueError(payload["who"])

    jobs = Jobs(database, attempts=2)
    jobs.handle("greet", handler)
    put(database, who="ann")
    assert (jobs.run_due(), states(database)) == (1, [("waiting", 1)])
    assert jobs.run_due() == 0
    with database.writing() as connection:
        connection.execute(update(tables.jobs).values(due=LONG_AGO))
    assert (jobs.run_due(), states(database)) == (1, [("failed", 2)])
    with database.reading() as connection:
        assert connection.execute(select(tables.jobs.c.error)).scalar() == "ValueError: ann"


def test_a_job_left_by_a_killed_worker_comes_round_again(database: Database) -> None:
    killed, second = Jobs(database, attempts=3), Jobs(database, attempts=3)
    done: list[dict[str, str]] = []
    second.handle("greet", done.append)
    put(database)
    assert killed._claim() is not None
    assert second.run_due() == 0
    with database.writing() as connection:
        connection.execute(update(tables.jobs).values(due=LONG_AGO))
    assert second.run_due() == 1
    assert done == [{}]


def test_what_is_done_now_and_then_may_wait_for_its_first_time(database: Database) -> None:
    late, soon = threading.Event(), threading.Event()
    jobs = Jobs(database, attempts=3)
    jobs.every(1000, "late", late.set, first_seconds=1000)
    jobs.every(1000, "soon", soon.set)
    jobs.start()
    assert soon.wait(30)
    jobs.stop(30)
    assert not late.is_set()
