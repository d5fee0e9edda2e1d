"""How Alembic reaches the database: through the engine that the server has already opened."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Engine

from modelshelf.registry.tables import metadata

engine: Engine = context.config.attributes["engine"]

with engine.execution_options(shelf_writes=True).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
