"""S3Blobs: blobs in a bucket of an object store that speaks S3; clients fetch them from there.

bucket/PREFIX/ab/KEY    as `blobs.DiskBlobs` has them below its root: one can be copied to the other
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from modelshelf.errors import NetworkError, NotAllowed, NotFound, ShelfError
from modelshelf.store.blobs import Held, place_of
from modelshelf.store.bucket import Bucket
from modelshelf.store.recipe import is_key

if TYPE_CHECKING:
    from obstore.store import S3Config

URL_SECONDS = 3600
"""For so long a URL leads to its blob."""
TIMEOUT_SECONDS = 30.0
"""One request takes no longer; nor is any begun again after so long: twice that is the most."""
RENEW_SECONDS = 3600
"""A blob that is put again counts as written anew if it is older: who deletes old ones waits more."""
ATTRIBUTES = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "public, max-age=31536000, immutable",
}
_RETRIES = 4
_NOT_IMPLEMENTED = "501"
"""The answer of object stores that know no `If-None-Match` to a put."""
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_CAUSE = re.compile(r'(?:message|error): "([^"]{1,200})"|source: (TimedOut)')
_NO_KEY = re.compile(r"PUT http://\S+/latest/api/token|/latest/meta-data/")
"""Asking the machine for its role, which is done where no key is given."""


class S3Blobs:
    """Blobs in `bucket`; safe to use from several threads at once.

    Besides what `Blobs` tells, everything raises NetworkError where the object store cannot be
    reached, NotAllowed where it refuses, NotFound where there is no such bucket.
    """

    def __init__(self, bucket: Bucket, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.bucket = bucket
        self._on_condition = True
        self._store = opened(bucket, bucket.endpoint, timeout_seconds)
        self._public = self._store
        if bucket.public_url is not None:
            self._public = opened(bucket, bucket.public_url, timeout_seconds)

    def put(self, key: str, content: bytes | memoryview) -> None:
        """Keep a blob; one that is here already is left as it is."""
        path = place_of(key)
        with self._telling(key):
            try:
                written = obstore.head(self._store, path)["last_modified"].timestamp()
            except FileNotFoundError:
                self._create(path, content)
                return
        if written < time.time() - RENEW_SECONDS:
            with contextlib.suppress(NotFound):  # deleted a moment ago: what came is as good
                content = self.get(key)
            with self._telling(key):
                obstore.put(self._store, path, content, attributes=ATTRIBUTES)

    def get(self, key: str) -> bytes:
        """The whole blob; raises NotFound."""
        path = place_of(key)
        with self._telling(key):
            return obstore.get(self._store, path).bytes().to_bytes()

    def size(self, key: str) -> int | None:
        """Its bytes, None where it is not here."""
        path = place_of(key)
        with self._telling(key):
            try:
                return obstore.head(self._store, path)["size"]
            except FileNotFoundError:
                return None

    def delete(self, key: str) -> None:
        """Forget a blob; nothing happens if it is not here."""
        path = place_of(key)
        with self._telling(key), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def held(self) -> Iterator[Held]:
        """Everything that is here, in no order."""
        with self._telling(None):
            for page in obstore.list(self._store, chunk_size=1000):
                for each in page:
                    key = each["path"].rpartition("/")[2]
                    if is_key(key) and each["path"] == place_of(key):
                        yield Held(key, each["size"], each["last_modified"].timestamp())

    def url(self, key: str) -> str:
        """Where clients GET it, ranges too, within the hour; it leads nowhere if it is not here."""
        path = place_of(key)
        with self._telling(key):
            return obstore.sign(self._public, "GET", path, timedelta(seconds=URL_SECONDS))

    def _create(self, path: str, content: bytes | memoryview) -> None:
        """Write a blob unless another did so a moment ago, where the object store can tell."""
        if self._on_condition:
            try:
                obstore.put(self._store, path, content, attributes=ATTRIBUTES, mode="create")
            except AlreadyExistsError:
                return
            except BaseError as error:
                if _status(error) != _NOT_IMPLEMENTED:
                    raise
                self._on_condition = False
            else:
                return
        obstore.put(self._store, path, content, attributes=ATTRIBUTES)

    @contextlib.contextmanager
    def _telling(self, key: str | None) -> Iterator[None]:
        """Turn what the library raises into errors that operators understand."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise meant(error, self.bucket, key) from error


def opened(bucket: Bucket, endpoint: str | None, timeout_seconds: float) -> S3Store:
    """The library's way into `bucket` at `endpoint` (None: AWS's); nothing is asked yet."""
    timeout = timedelta(seconds=timeout_seconds)
    config: S3Config = {"region": bucket.region, "disable_bulk_delete": True}
    if endpoint is not None:
        config["aws_endpoint_url_s3"] = endpoint
    if bucket.access_key_id is not None and bucket.secret_access_key is not None:
        config["access_key_id"] = bucket.access_key_id
        config["secret_access_key"] = bucket.secret_access_key
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config=config,
        client_options={
            "allow_http": (endpoint or "").startswith("http:"),
            "connect_timeout": min(timeout, timedelta(seconds=5)),
            "timeout": timeout,
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timeout,
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=5),
            },
        },
    )


def _status(error: Exception) -> str | None:
    found = _STATUS.search(str(error))
    return found and found[1]


def meant(error: Exception, bucket: Bucket, key: str | None) -> ShelfError:
    """What the library raised about `key`, as an error that people understand."""
    text, status = str(error), _status(error)
    code = _CODE.search(text)
    if bucket.access_key_id is None and _NO_KEY.search(text):
        return NotAllowed(
            "There is no key to the bucket",
            where=str(bucket),
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
        )
    if status == "404" and code is not None and code[1] == "NoSuchBucket":
        return NotFound(
            "There is no such bucket",
            where=str(bucket),
            hint="make it, or check its name, AWS_REGION and AWS_ENDPOINT_URL",
        )
    if isinstance(error, FileNotFoundError):
        return NotFound("This is not in the bucket", where=key)
    if status in ("401", "403"):
        return NotAllowed(
            "The object store does not allow this",
            where=str(bucket),
            got=code[1] if code else status,
            hint="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that the key may list the"
            " bucket and get, put and delete its objects",
        )
    return _no_answer(text, status, bucket)


def _no_answer(text: str, status: str | None, bucket: Bucket) -> NetworkError:
    where = f"{bucket} at {bucket.endpoint or f'AWS, {bucket.region}'}"
    hint = "try again later; if it stays so, check AWS_ENDPOINT_URL and AWS_REGION"
    code, cause = _CODE.search(text), _CAUSE.search(text)
    if status is not None:
        got = f"{status} {code[1]}" if code else status
        return NetworkError(
            "The object store does not answer as it should", where=where, got=got, hint=hint
        )
    got = (cause[1] or "no answer in time") if cause else text.partition("\n")[0][-200:]
    return NetworkError("The object store cannot be reached", where=where, got=got, hint=hint)
