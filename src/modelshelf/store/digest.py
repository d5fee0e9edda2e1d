"""Digests of a file: sha256, git's blob sha1, md5 and the size, in one pass."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple, Protocol

from modelshelf.errors import IntegrityError, Invalid

READ_BYTES = 1 << 20
CONTENT = "content-digest"
"""The header with which either side tells the digest of a small body (RFC 9530)."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT = re.compile(r"(?:^|[ ,])sha-256=:([A-Za-z0-9+/=]+):")


class Hashes(NamedTuple):
    """What identifies a file's bytes: lower-case hex digests and the size in bytes."""

    size: int
    sha256: str
    git: str
    md5: str


class Digest(Protocol):
    """What is told all bytes of a file, in their order."""

    def update(self, data: bytes, /) -> None:
        """Take in what comes next."""


def is_sha256(text: str) -> bool:
    """Whether `text` is 64 lower-case hex digits."""
    return _SHA256.fullmatch(text) is not None


def require_sha256(text: str) -> str:
    """`text` itself if it is a sha256; raises Invalid otherwise (so it is safe in a path)."""
    if not is_sha256(text):
        raise Invalid("This is not a sha256", expected="64 lower-case hex digits", got=text[:80])
    return text


def hash_file(path: Path, *also: Digest) -> Hashes:
    """The digests of the file at `path`, read once; raises IntegrityError if it changes meanwhile.

    `also` are told the same bytes. Git's blob sha1 covers `blob SIZE NUL` and the bytes
    (git-hash-object).
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        seen = 0
        while chunk := file.read(READ_BYTES):
            seen += len(chunk)
            for digest in (sha256, git, md5, *also):
                digest.update(chunk)
    if seen != size:
        raise IntegrityError(
            "The file changed while it was read", where=str(path), expected=size, got=seen
        )
    return Hashes(size, sha256.hexdigest(), git.hexdigest(), md5.hexdigest())


def content_digest(body: bytes) -> str:
    """What the header `Content-Digest` says of a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def require_content(claimed: str | None, body: bytes) -> None:
    """Raise IntegrityError where a body is not the one that its `Content-Digest` tells of."""
    match = _CONTENT.search(claimed or "")
    if match and match[0].lstrip(" ,") != content_digest(body):
        raise IntegrityError("The message was damaged on the way", hint="try again")


def sha256_of(path: Path) -> str:
    """The sha256 of the file at `path`, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
