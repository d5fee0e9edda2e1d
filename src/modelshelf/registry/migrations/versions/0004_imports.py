"""Described releases: which have no files of models, what another hub said, what it calls them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: one column and two tables more."""
    op.add_column(
        "releases",
        sa.Column("described", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "imports",
        sa.Column("publisher", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("hub", sa.String(length=32), nullable=False),
        sa.Column("handle", sa.String(length=512), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("imported", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher", "name", "version"],
            ["releases.publisher", "releases.name", "releases.version"],
            name=op.f("fk_imports_publisher_name_version_releases"),
        ),
        sa.PrimaryKeyConstraint("publisher", "name", "version", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_hub_handle", "imports", ["hub", "handle"])
    op.create_table(
        "handles",
        sa.Column("hub", sa.String(length=32), nullable=False),
        sa.Column("handle", sa.String(length=512), nullable=False),
        sa.Column("publisher", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["publisher", "name"],
            ["packages.publisher", "packages.name"],
            name=op.f("fk_handles_publisher_name_packages"),
        ),
        sa.PrimaryKeyConstraint("hub", "handle", name=op.f("pk_handles")),
    )
    op.create_index("ix_handles_publisher_name", "handles", ["publisher", "name"])


def downgrade() -> None:
    """Go back; what was imported stays as releases that older versions offer to install."""
    op.drop_table("handles")
    op.drop_table("imports")
    with op.batch_alter_table("releases") as batch:
        batch.drop_column("described")
