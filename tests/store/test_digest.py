"""The digests of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from modelshelf.errors import IntegrityError, Invalid
from modelshelf.store.digest import (
    content_digest,
    hash_file,
    require_content,
    require_sha256,
    sha256_of,
)


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256)) * 9000])
def test_one_pass_gives_what_each_tool_gives(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    hashes = hash_file(path)
    assert hashes.size == len(content)
    assert hashes.sha256 == hashlib.sha256(content).hexdigest() == sha256_of(path)
    assert hashes.md5 == hashlib.md5(content).hexdigest()
    assert hashes.git == hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()


def test_git_knows_the_blob_by_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    assert hash_file(path).git == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.mark.parametrize("text", ["", "abc", "A" * 64, "../" + "a" * 61, "a" * 64 + "\n"])
def test_only_a_sha256_may_become_a_path(text: str) -> None:
    with pytest.raises(Invalid):
        require_sha256(text)


@pytest.mark.parametrize("claimed", [None, "", "sha-512=:AAAA:", "nonsense"])
def test_a_body_of_which_nothing_is_claimed_is_taken(claimed: str | None) -> None:
    require_content(claimed, b"body")


@pytest.mark.parametrize("before", ["", "sha-512=:AAAA:, "])
def test_a_body_is_that_of_its_digest(before: str) -> None:
    claimed = before + content_digest(b"body")
    require_content(claimed, b"body")
    with pytest.raises(IntegrityError):
        require_content(claimed, b"bodi")
