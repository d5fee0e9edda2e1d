"""A registry's data from before: brought up to date with what is in it, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

import modelshelf.registry
from modelshelf.registry.database import Database, migrate
from modelshelf.registry.settings import Settings

ROW = "INSERT INTO job (kind, payload, state, attempts, due) VALUES ('x', '{}', 'failed', 1, '')"


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    settings.data.mkdir()
    made = Database(settings)
    yield made
    made.close()


def config(database: Database) -> Config:
    made = Config()
    folder = Path(modelshelf.registry.__file__).parent / "migrations"
    made.set_main_option("script_location", str(folder))
    made.attributes["engine"] = database.engine
    return made


def columns(database: Database, table: str) -> set[str]:
    return {each["name"] for each in inspect(database.engine).get_columns(table)}


def test_data_from_before_is_brought_up_to_date_and_back(
    database: Database, settings: Settings
) -> None:
    command.upgrade(config(database), "0001")
    with database.writing() as connection:
        connection.execute(text(ROW))
    migrate(database, settings)
    migrate(database, settings)
    assert {"change", "step", "verdict", "rules", "decision"} <= columns(database, "releases")
    assert {"level_override", "scan"} <= columns(database, "sessions")
    command.downgrade(config(database), "0001")
    assert "verdict" not in columns(database, "releases")
    assert not {"contracts", "verdicts"} & set(inspect(database.engine).get_table_names())
    with database.reading() as connection:
        assert connection.execute(text("SELECT kind FROM job")).scalar() == "x"
