"""The database's tables. `migrations/` makes them; a test compares the two.

Keys are the natural, composite ones. Times are RFC 3339 text in UTC. `names` and `versions` are
ledgers: rows are only ever added, so that no name or version is given out twice.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", Text, nullable=False),
    Column("email", Text),
    Column("created", String(32), nullable=False),
)

names = Table(
    "names",
    metadata,
    Column("space", String(16), primary_key=True),
    Column("image", String(160), primary_key=True),
    Column("owner", String(160), nullable=False),
    Column("since", String(32), nullable=False),
)
"""Each name in each space (`publisher`, `package`, and the foreign ones) where it may not clash."""

publishers = Table(
    "publishers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("display", Text),
    Column("created", String(32), nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("publisher", String(64), ForeignKey("publishers.name"), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.name"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.name"), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", Text),
    Column("scopes", Text, nullable=False),
    Column("publisher", String(64)),
    Column("created", String(32), nullable=False),
    Column("expires", String(32), nullable=False),
)

packages = Table(
    "packages",
    metadata,
    Column("publisher", String(64), ForeignKey("publishers.name"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("successor", String(160)),
    Column("reason", Text),
    Column("created", String(32), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("since", String(32), nullable=False),
)
"""Every version that was ever taken, without build metadata, whatever became of the release."""

releases = Table(
    "releases",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("commit", String(40), nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("facts", LargeBinary),
    Column("published", String(32), nullable=False, index=True),
    Column("account", String(64), ForeignKey("accounts.name"), nullable=False),
    Column("yanked", Text),
    Column("change", LargeBinary),
    Column("step", LargeBinary),
    Column("verdict", String(16)),
    Column("rules", Integer),
    Column("decision", Text),
    Column("described", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(["publisher", "name"], ["packages.publisher", "packages.name"]),
    UniqueConstraint("publisher", "name", "number"),
)
"""`described` marks those without files of models: see `imports`. `change` and `step` are what moved since the release before, `verdict`, `rules` and `decision`
what the scanner and the operator said: what is in `entry` under these names is not read."""

contracts = Table(
    "contracts",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("readers", Integer, nullable=False),
    ForeignKeyConstraint(
        ["publisher", "name", "version"],
        ["releases.publisher", "releases.name", "releases.version"],
    ),
)
"""Contracts as compressed JSON, apart from `releases`: they are large and seldom read."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("findings", LargeBinary, nullable=False),
    Column("scanned", String(32), nullable=False),
    Column("decided", String(32)),
    Column("decided_by", Text),
    ForeignKeyConstraint(
        ["publisher", "name", "version"],
        ["releases.publisher", "releases.name", "releases.version"],
    ),
)
"""What stands behind a verdict: what the scanner found, when, and who decided otherwise."""

imports = Table(
    "imports",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("hub", String(32), nullable=False),
    Column("handle", String(512), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("imported", String(32), nullable=False),
    ForeignKeyConstraint(
        ["publisher", "name", "version"],
        ["releases.publisher", "releases.name", "releases.version"],
    ),
    Index("ix_imports_hub_handle", "hub", "handle"),
)
"""What another hub said of a release, as compressed JSON; `digest` tells whether it says the same."""

handles = Table(
    "handles",
    metadata,
    Column("hub", String(32), primary_key=True),
    Column("handle", String(512), primary_key=True),
    Column("publisher", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", String(128)),
    ForeignKeyConstraint(["publisher", "name"], ["packages.publisher", "packages.name"]),
    Index("ix_handles_publisher_name", "publisher", "name"),
)
"""What other hubs call releases, and (without a version) packages: old names lead here."""

families = Table(
    "families",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("title", Text, nullable=False),
    Column("task", Text, index=True),
    Column("algorithm", Text),
    Column("dataset", Text),
    Column("language", Text),
    Column("declared", Boolean, nullable=False),
    Column("models", Integer, nullable=False),
    Column("packages", Integer, nullable=False),
    Column("newer", String(128)),
    Column("body", LargeBinary, nullable=False),
    Column("rules", Integer, nullable=False),
    Index("ix_families_models_id", "models", "id"),
)
"""Families of the models of all packages, made by a job: `body` is the rest of it as JSON, `newer`
the family of the newest generation of its algorithm."""

family_members = Table(
    "family_members",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("family", String(128), ForeignKey("families.id"), nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
"""Each model of each package's latest release, by its place among the variants, in one family."""

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("git", String(40), nullable=False),
    Column("md5", String(32), nullable=False),
    Column("created", String(32), nullable=False),
)
"""What `/files` serves: a file on the disk without a row here is not there."""

recipes = Table(
    "recipes",
    metadata,
    Column("sha256", String(64), ForeignKey("blobs.sha256"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("layout", LargeBinary),
)
"""Of which segments a published file is made, as it goes over the wire; where its tensors lie."""

segments = Table(
    "segments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("base", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
)
"""What `/segments` serves: by itself (`base` is empty), or told against a base. A blob without a
row here is not there."""

release_files = Table(
    "release_files",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), ForeignKey("blobs.sha256"), nullable=False, index=True),
    ForeignKeyConstraint(
        ["publisher", "name", "version"],
        ["releases.publisher", "releases.name", "releases.version"],
    ),
)

dependencies = Table(
    "dependencies",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("on_publisher", String(64), primary_key=True),
    Column("on_name", String(64), primary_key=True),
    Column("requirement", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    ForeignKeyConstraint(
        ["publisher", "name", "version"],
        ["releases.publisher", "releases.name", "releases.version"],
    ),
    Index("ix_dependencies_on", "on_publisher", "on_name"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.name"), nullable=False),
    Column("publisher", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", String(128), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", String(32), nullable=False),
    Column("expires", String(32), nullable=False, index=True),
    Column("level_override", Text),
    Column("scan", LargeBinary),
    Column("decision", Text),
    Column("decided_by", Text),
)
"""`scan` is what the scanner found where that holds the release back, `decision` the operator's
reason for letting it through or refusing it."""

session_files = Table(
    "session_files",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
)

session_blobs = Table(
    "session_blobs",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("git", String(40), nullable=False),
    Column("md5", String(32), nullable=False),
)
"""What a session has sent completely, verified."""

session_recipes = Table(
    "session_recipes",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

session_segments = Table(
    "session_segments",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id"), primary_key=True),
    Column("id", String(64), primary_key=True, index=True),
    Column("size", Integer, nullable=False),
    Column("stored", Integer),
    Column("base", String(64)),
    Column("delta", Integer),
)
"""The segments of a session's recipes; `stored` is empty until one was sent, `base` and `delta`
(bytes) tell how where it came against a base."""

downloads = Table(
    "downloads",
    metadata,
    Column("publisher", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("day", String(10), primary_key=True, index=True),
    Column("installs", Integer, nullable=False),
    Column("clients", Integer, nullable=False),
)

download_logs = Table(
    "download_logs",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("counted_bytes", BigInteger, nullable=False),
)

jobs = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", String(32), nullable=False),
    Column("error", Text),
    Index("ix_job_due", "state", "due"),
    Index("ix_job_same", "kind", "payload"),
)
