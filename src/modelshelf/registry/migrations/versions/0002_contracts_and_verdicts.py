"""Contracts of releases, what changed between them, and what the scanner said of their files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = ["publisher", "name", "version"]


def upgrade() -> None:
    """Go forward: columns that may be empty, and two tables beside the releases."""
    op.add_column("releases", sa.Column("change", sa.LargeBinary(), nullable=True))
    op.add_column("releases", sa.Column("step", sa.LargeBinary(), nullable=True))
    op.add_column("releases", sa.Column("verdict", sa.String(length=16), nullable=True))
    op.add_column("releases", sa.Column("rules", sa.Integer(), nullable=True))
    op.add_column("releases", sa.Column("decision", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("level_override", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("scan", sa.LargeBinary(), nullable=True))
    op.add_column("sessions", sa.Column("decision", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("decided_by", sa.Text(), nullable=True))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_same", ["kind", "payload"], unique=False)
    _create(
        "contracts",
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
    )
    _create(
        "verdicts",
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("scanned", sa.String(length=32), nullable=False),
        sa.Column("decided", sa.String(length=32), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("verdicts")
    op.drop_table("contracts")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_same")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        for column in ("decided_by", "decision", "scan", "level_override"):
            batch_op.drop_column(column)
    with op.batch_alter_table("releases", schema=None) as batch_op:
        for column in ("decision", "rules", "verdict", "step", "change"):
            batch_op.drop_column(column)


def _create(table: str, *columns: sa.Column[object]) -> None:
    """A table with one row a release."""
    op.create_table(
        table,
        sa.Column("publisher", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            KEY,
            [f"releases.{each}" for each in KEY],
            name=op.f(f"fk_{table}_publisher_name_version_releases"),
        ),
        sa.PrimaryKeyConstraint(*KEY, name=op.f(f"pk_{table}")),
    )
