"""A registry whose segments lie in a bucket: clients fetch them there, and it may be out of reach."""

from __future__ import annotations

import http.client
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import pytest

from modelshelf.errors import Conflict, NetworkError
from modelshelf.registry import fsck, garbage, place
from modelshelf.registry.settings import Settings
from modelshelf.store.bucket import Bucket
from modelshelf.store.s3 import S3Blobs
from tests.conftest import PASSWORD, run_here
from tests.registry.conftest import Running, run
from tests.registry.test_segments import Sending, tensors
from tests.registry.weights import Published, bf16, model, weights
from tests.s3 import ObjectStore, s3
from tests.trouble.proxy import Proxy

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft

__all__ = ["s3"]


@pytest.fixture
def wire(s3: ObjectStore) -> Iterator[Proxy]:
    """The way to the object store, which counts and can be cut."""
    proxy = Proxy(s3.endpoint)
    yield proxy
    proxy.close()


@pytest.fixture
def bucket(s3: ObjectStore, wire: Proxy) -> Bucket:
    environment = {**s3.environment, "AWS_ENDPOINT_URL": wire.url}
    return Bucket.parse(s3.url(f"registry/{secrets.token_hex(8)}"), environment)


@pytest.fixture
def settings(tmp_path: Path, bucket: Bucket) -> Settings:
    return Settings(data=tmp_path / "data", fsync=False, password_memory_kib=64, blobs=bucket)


@pytest.fixture
def sending(acme: Client, draft: type[Draft]) -> Sending:
    return Sending(acme, draft(files={"small.safetensors": tensors(1, "a", "b", "c")}))


def fetched(url: str) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return body


def test_segments_are_fetched_from_the_bucket(
    registry: Running, sending: Sending, bucket: Bucket
) -> None:
    sending.send()
    assert sending.publish().status == 201
    for key, blob in sending.blobs.items():
        answer = registry.client("GET", f"/segments/{key}")
        assert (answer.status, answer.body) == (307, b"")
        assert fetched(answer.headers["location"]) == blob
    config = registry.client("GET", "/config.json").json
    assert (config["bundles"], config["segments"]) == (False, f"{registry.url}/segments/{{key}}")
    assert registry.client("POST", "/segments", {"keys": [*sending.blobs]}).status == 422
    assert registry.client("GET", f"/segments/{'0' * 64}").status == 404
    assert {each.key for each in S3Blobs(bucket).held()} >= sending.blobs.keys()
    assert not (registry.service.settings.data / "segments").exists()


def test_an_install_goes_past_the_registry(
    registry: Running, wire: Proxy, tmp_path: Path, package: Callable[..., Path]
) -> None:
    front = Proxy(registry.url)
    folder = package(tmp_path / "package", name="acme/scale")
    (folder / "small.safetensors").write_bytes(weights(model()))
    env = {"MODELSHELF_HOME": str(tmp_path / "home"), "MODELSHELF_REGISTRY": front.url}

    def shelf(*words: str, stdin: str = "") -> None:
        done = run_here(*words, cwd=tmp_path, env=env, stdin=stdin)
        assert done.code == 0, done.err

    shelf("login", "acme", "--create", "--password-stdin", stdin=f"{PASSWORD}\n")
    shelf("publish", str(folder))
    stored = sum(each.size for each in registry.service.blobs.held())
    (tmp_path / "shelf.toml").touch()
    env["MODELSHELF_HOME"] = str(tmp_path / "another home")
    before, there = front.down, wire.down
    shelf("install", "acme/scale", "--format", "safetensors")
    front.close()
    assert wire.down - there > 0.9 * stored
    assert front.down - before < 0.1 * stored


def test_what_was_given_up_is_made_from_the_bucket(
    registry: Running, sending: Sending, serve: Callable[[], Running]
) -> None:
    sending.send()
    assert sending.publish().status == 201
    registry.service.store.delete(sending.sha256)
    path = f"/files/{sending.sha256}"
    part = registry.client("GET", path, None, {"Range": "bytes=100000-400000"})
    assert (part.status, part.body) == (206, sending.content[100_000:400_001])
    registry.stop()
    again = serve()
    assert again.client("GET", path).body == sending.content
    assert again.service.raw.path(sending.sha256).read_bytes() == sending.content


def is_out_of_reach(answer: object) -> bool:
    status, said = getattr(answer, "status", None), getattr(answer, "json", {})
    return status == 503 and "cannot reach its segments" in said["message"]


def test_a_publish_waits_for_a_bucket_that_is_down(
    registry: Running, sending: Sending, wire: Proxy
) -> None:
    first, *rest = [each["id"] for each in sending.missing().json["missing"]]
    assert sending.put(first, sending.blobs[first]).status == 200
    wire.refuse()
    answer = sending.put(rest[0], sending.blobs[rest[0]])
    assert is_out_of_reach(answer)
    assert answer.headers["retry-after"]
    assert sending.missing().status == 200
    wire.listen()
    assert sending.send() == rest
    wire.refuse()
    assert is_out_of_reach(sending.publish())
    assert registry.client("GET", "/api/v1/packages/acme/digits").status == 404
    assert registry.client("GET", f"/recipes/{sending.sha256}").status == 404
    assert registry.client("GET", f"/files/{sending.sha256}").status == 404
    wire.listen()
    assert sending.publish().status == 201
    assert registry.client("GET", f"/files/{sending.sha256}").body == sending.content
    assert fsck.run(registry.service).findings == ()


def test_files_sent_whole_wait_too(
    registry: Running, acme: Client, draft: type[Draft], wire: Proxy
) -> None:
    one = draft(files={"small.safetensors": tensors(2, "a", "b")})
    session = one.send(acme)
    wire.refuse()
    path = f"/api/v1/sessions/{session}/publish"
    assert is_out_of_reach(acme("POST", path))
    assert registry.client("GET", "/api/v1/packages/acme/digits").status == 404
    wire.listen()
    assert acme("POST", path).status == 201
    assert fsck.run(registry.service).findings == ()


def test_reading_while_the_bucket_is_down(registry: Running, sending: Sending, wire: Proxy) -> None:
    sending.send()
    assert sending.publish().status == 201
    wire.refuse()
    path = f"/files/{sending.sha256}"
    assert registry.client("GET", path).body == sending.content
    assert registry.client("GET", f"/segments/{next(iter(sending.blobs))}").status == 307
    registry.service.store.delete(sending.sha256)
    for asked in ({}, {"Range": "bytes=100000-"}):
        assert is_out_of_reach(registry.client("GET", path, None, asked))
    assert registry.client("GET", "/readyz").status == 200
    wire.listen()
    assert registry.client("GET", path).body == sending.content


def test_a_wrong_key_to_the_bucket_is_not_the_clients_fault(
    settings: Settings, bucket: Bucket, draft: type[Draft]
) -> None:
    wrong = msgspec.structs.replace(
        settings, blobs=Bucket(name=bucket.name, endpoint=bucket.endpoint,
                               access_key_id="ID", secret_access_key="wrong"),
    )  # fmt: skip
    registry = run(wrong)
    answer = draft().publish(registry.client.account("acme"))
    registry.stop()
    assert is_out_of_reach(answer)
    assert str(bucket.name) not in answer.body.decode()


def test_fsck_and_gc_look_into_the_bucket(registry: Running, acme: Client, wire: Proxy) -> None:
    service = registry.service
    service.jobs.stop(30)
    service.jobs._stopping.clear()
    publish = Published(registry, acme)
    publish("1.0.0", bf16(model()))
    (tuned,) = publish("1.1.0", bf16(model(moved=0.001)))
    keys = [each.key for each in service.blobs.held()]
    difference = next(key for key in keys if "-" in key)
    lost = [*publish.recipe(tuned).segments()][1][0]
    service.blobs.delete(difference)
    service.blobs.delete(lost)
    service.blobs.put("0" * 64, b"blob")
    report = fsck.run(service, repair=True)
    assert sorted(each.kind for each in report.findings) == ["difference", "garbage", "segment"]
    assert report.wrong() == []
    assert garbage.collect(service).blobs == 0
    found = garbage.collect(service, older_than_seconds=-60)
    assert (found.blobs, found.freed_bytes) == (1, 4)
    service.jobs.run_due()
    assert fsck.run(service).findings == ()
    assert sorted(each.key for each in service.blobs.held()) == sorted(keys)
    wire.refuse()
    with pytest.raises(NetworkError):
        fsck.run(service, repair=True)
    assert publish.recipe(tuned).parents


def test_the_data_folder_remembers_its_bucket(
    registry: Running,
    sending: Sending,
    settings: Settings,
    s3: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending.send()
    assert sending.publish().status == 201
    registry.stop()
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    done = run_here(
        "registry", "fsck", "--data", str(settings.data), cwd=settings.data, env={**os.environ}
    )
    assert (done.code, done.err) == (0, ""), done.out
    assert s3.secret_access_key not in (settings.data / place.FILE).read_text()


@pytest.mark.parametrize("before", ["folder", "bucket"])
def test_segments_that_lie_elsewhere_are_not_taken_for_lost(
    tmp_path: Path, bucket: Bucket, before: str
) -> None:
    settings = {
        "bucket": Settings(data=tmp_path, blobs=bucket),
        "folder": Settings(data=tmp_path),
        "other": Settings(data=tmp_path, blobs=Bucket(name="other")),
    }
    if before == "folder":
        blob = tmp_path / "segments" / "00" / ("0" * 64)
        blob.parent.mkdir(parents=True)
        blob.touch()
    place.require(settings[before])
    place.require(settings[before])
    for name in settings.keys() - {before}:
        with pytest.raises(Conflict, match="elsewhere"):
            place.require(settings[name])


def test_the_bucket_may_be_reached_by_another_address(tmp_path: Path) -> None:
    first = Bucket(name="models", prefix="a/b", endpoint="http://127.0.0.1:9000")
    second = Bucket(name="models", prefix="a/b", endpoint="https://s3.example", region="here")
    for each in (first, second):
        place.require(Settings(data=tmp_path, blobs=each))
        known = place.known(tmp_path)
        assert known is not None
        assert Bucket.parse(known, {}) == each
