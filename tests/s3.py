"""A real S3 server on this machine, for tests of what lies in a bucket: `rclone serve s3`.

It differs from others: it takes no heed of `If-None-Match`, and answers a range with status 200 (its
bytes and its `Content-Range` are right). What is changed in its folder without it, below a prefix
that it has looked into, it sees after minutes: change such things through `S3Blobs`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from modelshelf.store.bucket import Bucket

NAME = "models"


class ObjectStore(NamedTuple):
    """Where it is, the key to it, and its only bucket, whose objects are files below `folder`."""

    endpoint: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What an operator sets; give it to a process together with a URL of `url`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": "us-east-1",
        }

    def url(self, prefix: str = "") -> str:
        """What an operator gives as the place of blobs; give each test a prefix of its own."""
        return f"s3://{self.bucket}/{prefix}".rstrip("/")

    def at(self, prefix: str) -> Bucket:
        """The same as a value."""
        return Bucket.parse(self.url(prefix), self.environment)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store that all tests of one process share; whatever AWS_... is set counts no more."""
    with pytest.MonkeyPatch.context() as here, serving_s3(tmp_path_factory.mktemp("s3")) as store:
        for name in [each for each in os.environ if each.startswith("AWS_")]:
            here.delenv(name)
        yield store


@contextmanager
def serving_s3(folder: Path) -> Iterator[ObjectStore]:
    """An object store whose buckets are the folders in `folder`, with one in it; killed after."""
    key_id, secret = f"TESTS{secrets.token_hex(8).upper()}", secrets.token_hex(20)
    (folder / NAME).mkdir(exist_ok=True)
    command = [
        _rclone(), "serve", "s3", "--config", "", "--addr", "127.0.0.1:0",
        "--auth-key", f"{key_id},{secret}", str(folder),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={})
    try:
        yield ObjectStore(_endpoint(process), NAME, key_id, secret, folder / NAME)
    finally:
        process.kill()
        process.communicate()


def _endpoint(process: subprocess.Popen[str]) -> str:
    """Where it listens, which it says once it does so."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if found := re.search(r"\[(http://127\.0\.0\.1:\d+)/\]", line):
            return found[1]
    raise AssertionError(f"rclone did not start: {said}")


def _rclone() -> str:
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if not found:
        pytest.skip("rclone is not installed, which is the S3 server of these tests")
    return found
