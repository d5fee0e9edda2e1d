"""What an operator gives as the place of blobs: understood, or refused with what is wrong."""

from __future__ import annotations

import pytest

from modelshelf.errors import UsageError
from modelshelf.store.bucket import Bucket

KEY = {"AWS_ACCESS_KEY_ID": "ID", "AWS_SECRET_ACCESS_KEY": "it is secret"}
KEYS = {"access_key_id": "ID", "secret_access_key": "it is secret"}


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("s3://models", {}, Bucket(name="models")),
        ("s3://models/", KEY, Bucket(name="models", **KEYS)),
        ("s3://models/a/b-c/", {}, Bucket(name="models", prefix="a/b-c")),
        ("s3://models", {"AWS_REGION": "eu-west-1"}, Bucket(name="models", region="eu-west-1")),
        (
            "s3://models",
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "auto", "AWS_ENDPOINT_URL": ""},
            Bucket(name="models", region="auto"),
        ),
        (
            "s3://models",
            {"AWS_ENDPOINT_URL": "http://[::1]:9000", "HOME": "/root"},
            Bucket(name="models", endpoint="http://[::1]:9000"),
        ),
        (
            "s3://models?endpoint=http://minio:9000&region=here&public_url=https://blobs.example",
            {"AWS_ENDPOINT_URL_S3": "https://other.example", "AWS_REGION": "there"},
            Bucket(
                name="models",
                endpoint="http://minio:9000",
                region="here",
                public_url="https://blobs.example",
            ),
        ),
    ],
)
def test_understood(url: str, environment: dict[str, str], expected: Bucket) -> None:
    assert Bucket.parse(url, environment) == expected


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("", {}),
        ("models", {}),
        ("https://models.s3.amazonaws.com", {}),
        ("s3:///models", {}),
        ("s3://[models", {}),
        ("s3://m", {}),
        ("s3://models#part", {}),
        ("s3://models/../other", {}),
        ("s3://models/a//b", {}),
        ("s3://models/.hidden", {}),
        ("s3://models/a%20b", {}),
        ("s3://models?style=virtual", {}),
        ("s3://models?endpoint=minio:9000", {}),
        ("s3://models?endpoint=http://", {}),
        ("s3://models?endpoint=http://[::1", {}),
        ("s3://models?endpoint=http://a:b@minio", {}),
        ("s3://models?public_url=ftp://blobs.example", {}),
        ("s3://models", {"AWS_ENDPOINT_URL": "http://minio:9000?x"}),
        ("s3://models", {"AWS_REGION": "eu west"}),
        ("s3://models", {"AWS_ACCESS_KEY_ID": "ID"}),
        ("s3://models", {"AWS_SECRET_ACCESS_KEY": "it is secret"}),
        ("s3://ID:it is secret@models", {}),
    ],
)
def test_refused(url: str, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        Bucket.parse(url, environment)
    assert "it is secret" not in repr(caught.value.as_json())


def test_the_secret_is_not_shown() -> None:
    bucket = Bucket(name="models", prefix="a", **KEYS)
    assert "it is secret" not in repr(bucket)
    assert str(bucket) == "s3://models/a"
