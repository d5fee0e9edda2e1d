"""Families: which models are variants of the same, made by a job from what is here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: two tables more."""
    op.create_table(
        "families",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column("algorithm", sa.Text(), nullable=True),
        sa.Column("dataset", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("models", sa.Integer(), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("newer", sa.String(length=128), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_families")),
    )
    op.create_index(op.f("ix_families_task"), "families", ["task"])
    op.create_index("ix_families_models_id", "families", ["models", "id"])
    op.create_table(
        "family_members",
        sa.Column("publisher", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=128), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family"], ["families.id"], name=op.f("fk_family_members_family_families")
        ),
        sa.PrimaryKeyConstraint("publisher", "name", "number", name=op.f("pk_family_members")),
    )
    op.create_index(op.f("ix_family_members_family"), "family_members", ["family"])


def downgrade() -> None:
    """Go back; nothing is lost, as it can all be made again."""
    op.drop_table("family_members")
    op.drop_table("families")
