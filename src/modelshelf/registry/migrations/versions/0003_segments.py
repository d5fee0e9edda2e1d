"""Files by segments: recipes, what is stored of segments, and what sessions send of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: four tables more; what files of before are made of is found by a job."""
    op.create_table(
        "recipes",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_recipes_sha256_blobs")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_recipes")),
    )
    op.create_table(
        "segments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", "base", name=op.f("pk_segments")),
    )
    _of_session("session_recipes", "sha256", sa.Column("body", sa.LargeBinary(), nullable=False))
    _of_session(
        "session_segments",
        "id",
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=True),
        sa.Column("base", sa.String(length=64), nullable=True),
        sa.Column("delta", sa.Integer(), nullable=True),
    )
    op.create_index(op.f("ix_session_segments_id"), "session_segments", ["id"])


def downgrade() -> None:
    """Go back; what lies by segments only is lost: read such files whole first, `/files/SHA256`."""
    for table in ("session_segments", "session_recipes", "segments", "recipes"):
        op.drop_table(table)


def _of_session(table: str, key: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column(key, sa.String(length=64), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["session"], ["sessions.id"], name=op.f(f"fk_{table}_session_sessions")
        ),
        sa.PrimaryKeyConstraint("session", key, name=op.f(f"pk_{table}")),
    )
