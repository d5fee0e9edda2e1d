"""What an operator can set; every module is told these, none reads the environment."""

from __future__ import annotations

from pathlib import Path

import msgspec

from modelshelf.store.bucket import Bucket

DAY_SECONDS = 86_400


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The registry's settings. `data` is the folder that holds everything there is to back up."""

    data: Path
    database: str | None = None
    """SQLAlchemy URL; None is SQLite in `data`."""
    blobs: Bucket | None = None
    """The bucket where segments lie; None is a folder in `data`."""
    segments_url: str | None = None
    """Where clients fetch segments, with `{prefix}` (two hex digits) and `{key}`, where nginx or a
    content network serves them; None is the registry itself."""
    fast_links: bool = False
    """Whether clients whose link outruns their decoding may take raw bytes: more traffic, less CPU."""
    raw_cache_bytes: int = 64 << 30
    """So much may be kept whole beside the segments, for readers of whole files."""
    public_url: str | None = None
    """How clients reach the server, where that is not the address that they asked."""
    level: str = "minimal"
    """Documentation that a release needs: minimal, documented or complete."""
    signup: bool = True
    """Whether anyone may open an account."""
    max_file_bytes: int = 64 << 30
    max_files: int = 10_000
    max_body_bytes: int = 10 << 20
    """Largest JSON document taken in: larger ones are answered with 413."""
    session_seconds: int = DAY_SECONDS
    token_days: int = 90
    fsync: bool = True
    password_memory_kib: int = 65_536
    job_attempts: int = 8
    stop_seconds: int = 10

    def database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database or f"sqlite:///{self.data / 'registry.sqlite'}"
