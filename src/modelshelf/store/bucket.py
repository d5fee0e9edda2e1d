"""Bucket: which one, where it is, and the key to it; put together from what an operator gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, urlsplit

from modelshelf.errors import UsageError

EXPECTED = "s3://BUCKET or s3://BUCKET/PREFIX"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?")
_ADDRESS = re.compile(
    r"https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(:\d{1,5})?(/[\w./-]*)?"
)
_REGION = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A place in an object store that speaks S3; raises UsageError where a part cannot be one."""

    name: str
    prefix: str = ""
    """What all keys begin with, without the `/` after it."""
    endpoint: str | None = None
    """Where the object store is; None is that of AWS in `region`."""
    region: str = "us-east-1"
    """Object stores other than AWS's mostly take any."""
    access_key_id: str | None = None
    """None is whatever role the machine has been given there."""
    secret_access_key: str | None = field(default=None, repr=False)
    public_url: str | None = None
    """How clients reach `endpoint`, where they do so by another address."""

    def __post_init__(self) -> None:
        _require(_NAME, self.name, "This cannot name a bucket")
        _require(_PREFIX, self.prefix, "This cannot be the prefix of keys in a bucket")
        _require(_REGION, self.region, "This cannot name a region")
        for address in (self.endpoint, self.public_url):
            _require(_ADDRESS, address or "http://none", "An object store cannot be at this URL")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise UsageError(
                "Half of a key to the bucket is given",
                where=self.name,
                hint="set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
            )

    @classmethod
    def parse(cls, url: str, environment: Mapping[str, str]) -> Bucket:
        """The bucket of `s3://BUCKET/PREFIX`, the rest from the environment, as for AWS's tools.

        `?endpoint=...&region=...&public_url=...` go before the environment. Raises UsageError.
        """
        parts = _split(url)
        given = _given(parts.query)
        return cls(
            name=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=given.get("endpoint")
            or environment.get("AWS_ENDPOINT_URL_S3")
            or environment.get("AWS_ENDPOINT_URL")
            or None,
            region=given.get("region")
            or environment.get("AWS_REGION")
            or environment.get("AWS_DEFAULT_REGION")
            or cls.region,
            access_key_id=environment.get("AWS_ACCESS_KEY_ID") or None,
            secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or None,
            public_url=given.get("public_url") or None,
        )

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if "@" in parts.netloc:
        raise UsageError(
            "The key to a bucket is no part of its URL",
            expected=EXPECTED,
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead",
        )
    if parts.scheme != "s3" or not parts.netloc or parts.fragment:
        raise UsageError("This is not the URL of a bucket", expected=EXPECTED, got=url[:200])
    return parts


def _given(query: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    known = ("endpoint", "region", "public_url")
    if unknown := sorted(given.keys() - set(known)):
        raise UsageError(
            "The URL of a bucket has no such part", expected=", ".join(known), got=unknown[0][:80]
        )
    return given


def _require(pattern: re.Pattern[str], text: str, message: str) -> None:
    if not pattern.fullmatch(text):
        raise UsageError(message, got=text[:200])
