"""Large files by segments: sent as what is lacking, served as what is stored."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import blake3
import numpy as np
import pytest

from modelshelf.errors import IntegrityError
from modelshelf.store.codec import Codec
from modelshelf.store.recipe import (
    Cut,
    Recipe,
    dumps,
    lengthened,
    loads,
    pieces,
    shortened,
    tag,
)

if TYPE_CHECKING:
    from tests.registry.conftest import Answer, Client, Draft, Running

ROWS = 40_000


def tensors(seed: int, *names: str, note: str = "") -> bytes:
    """A safetensors file of a few tensors of 160 kB each."""
    data = b"".join(
        np.random.default_rng([seed, number]).normal(size=ROWS).astype("<f4").tobytes()
        for number, _ in enumerate(names)
    )
    header: dict[str, Any] = {
        name: {
            "dtype": "F32",
            "shape": [ROWS],
            "data_offsets": [4 * ROWS * at, 4 * ROWS * (at + 1)],
        }
        for at, name in enumerate(names)
    }
    header["__metadata__"] = {"note": note}
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + data


def cut(content: bytes) -> tuple[Recipe, dict[str, bytes]]:
    """The recipe of a safetensors file and its segments, encoded."""
    start = 8 + struct.unpack_from("<Q", content)[0]
    cuts = [Cut(at, at + 4 * ROWS, 4, True) for at in range(start, len(content), 4 * ROWS)]
    made = pieces(len(content), cuts)
    raw = [content[each.start : each.start + each.size] for each in made]
    codec = Codec()
    blobs = [
        codec.solo(each, p.width, floating=p.floating) for each, p in zip(raw, made, strict=True)
    ]
    ids = [blake3.blake3(each).digest() for each in raw]
    recipe = Recipe(
        len(content), b"".join(ids), tuple(map(len, raw)), tuple(len(each) for each in blobs)
    )
    return recipe, {i.hex(): blob for i, blob in zip(ids, blobs, strict=True)}


class Sending:
    """A session with one large file, to be sent by segments."""

    def __init__(self, client: Client, draft: Draft) -> None:
        self.client = client
        self.path, self.content = next(iter(draft.files.items()))
        opened = client("POST", "/api/v1/sessions", draft.session())
        assert opened.status == 201, opened.body
        self.address = f"/api/v1/sessions/{opened.json['id']}"
        listed = draft.session()["files"]
        self.sha256 = next(each["sha256"] for each in listed if each["path"] == self.path)
        self.recipe, self.blobs = cut(self.content)

    def missing(self, body: bytes | None = None) -> Answer:
        return self.client(
            "PUT", f"{self.address}/recipes/{self.sha256}", body or dumps(self.recipe)
        )

    def put(self, identifier: str, blob: bytes, *, offset: int = 0, stored: int = 0) -> Answer:
        stored = stored or offset + len(blob)
        return self.client(
            "PUT", f"{self.address}/segments/{identifier}?offset={offset}&stored={stored}", blob
        )

    def send(self) -> list[str]:
        wanted = [each["id"] for each in self.missing().json["missing"]]
        for identifier in wanted:
            assert self.put(identifier, self.blobs[identifier]).status == 200
        return wanted

    def publish(self) -> Answer:
        return self.client("POST", f"{self.address}/publish")


@pytest.fixture
def first(acme: Client, draft: type[Draft]) -> Sending:
    """A release that was sent by segments, and published."""
    sending = Sending(acme, draft(files={"small.safetensors": tensors(1, "a", "b", "c")}))
    assert len(sending.send()) == 4
    assert sending.publish().status == 201
    return sending


def test_a_file_sent_by_segments_is_the_file(first: Sending, registry: Running) -> None:
    assert registry.client("GET", f"/files/{first.sha256}").body == first.content


def test_the_recipe_leads_to_every_segment(first: Sending, registry: Running) -> None:
    answer = registry.client("GET", f"/recipes/{first.sha256}")
    recipe = loads(answer.body, len(first.content))
    assert recipe.segments() is not None
    codec, found = Codec(), b""
    for (identifier, _, size), stored in zip(recipe.segments(), recipe.stored, strict=True):
        blob = registry.client("GET", f"/segments/{identifier}").body
        assert len(blob) == stored
        found += codec.decode(blob, size)
    assert found == first.content
    tag = {"If-None-Match": answer.headers["etag"]}
    assert registry.client("GET", f"/recipes/{first.sha256}", None, tag).status == 304


def test_what_all_may_read_is_not_sent_again(
    first: Sending, acme: Client, draft: type[Draft], registry: Running
) -> None:
    content = tensors(1, "a", "b", "c", note="another word")
    second = Sending(acme, draft(version="1.0.1", files={"small.safetensors": content}))
    header = blake3.blake3(content[: second.recipe.sizes[0]]).hexdigest()
    assert second.send() == [header]
    assert second.publish().status == 201
    assert registry.client("GET", f"/files/{second.sha256}").body == content


def test_what_others_are_sending_is_not_told(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    content = tensors(2, "a")
    hidden = Sending(acme, draft(files={"small.safetensors": content}))
    wanted = hidden.send()
    other = registry.client.account("other")
    curious = Sending(other, draft(name="other/digits", files={"small.safetensors": content}))
    assert [each["id"] for each in curious.missing().json["missing"]] == wanted
    assert registry.client("GET", f"/segments/{wanted[0]}").status == 404
    assert registry.client("GET", f"/recipes/{hidden.sha256}").status == 404


def test_a_segment_is_gone_on_with(acme: Client, draft: type[Draft]) -> None:
    sending = Sending(acme, draft(files={"small.safetensors": tensors(3, "a")}))
    identifier = sending.missing().json["missing"][1]["id"]
    blob = sending.blobs[identifier]
    part = sending.put(identifier, blob[:1000], stored=len(blob))
    assert (part.json["offset"], part.json["complete"]) == (1000, False)
    assert sending.missing().json["missing"][1] == {"id": identifier, "offset": 1000}
    wrong = sending.put(identifier, blob[500:], offset=500)
    assert (wrong.status, wrong.json["offset"]) == (409, 1000)
    assert sending.put(identifier, blob[1000:], offset=1000).json["complete"]


def test_small_ones_are_sent_together(acme: Client, draft: type[Draft]) -> None:
    sending = Sending(acme, draft(files={"small.safetensors": tensors(4, "a", "b")}))
    body = b"".join(
        struct.pack(">H", len(key)) + key.encode() + struct.pack(">I", len(blob)) + blob
        for key, blob in sending.blobs.items()
    )
    sending.missing()
    assert sending.client("POST", f"{sending.address}/segments", body).status == 204
    assert sending.missing().json["missing"] == []
    cut_off = sending.client("POST", f"{sending.address}/segments", body[:-1])
    assert cut_off.status == 422
    assert sending.publish().status == 201


def test_a_wrong_segment_is_refused_and_forgotten(acme: Client, draft: type[Draft]) -> None:
    sending = Sending(acme, draft(files={"small.safetensors": tensors(5, "a")}))
    identifier = sending.missing().json["missing"][1]["id"]
    blob = sending.blobs[identifier]
    forged = blob[:-1] + bytes([blob[-1] ^ 1])
    assert sending.put(identifier, forged).json["error"] == "IntegrityError"
    assert sending.missing().json["missing"][1]["offset"] == 0
    assert sending.put(identifier, blob).json["complete"]


def test_an_incomplete_file_is_not_published(acme: Client, draft: type[Draft]) -> None:
    sending = Sending(acme, draft(files={"small.safetensors": tensors(6, "a")}))
    sending.missing()
    assert sending.publish().status == 409


def test_a_bundle_has_what_was_asked_for(first: Sending, registry: Running) -> None:
    keys = [identifier for identifier, _, _ in first.recipe.segments()]
    answer = registry.client("POST", "/segments", {"keys": keys})
    assert list(_frames(answer.body)) == [first.blobs[key] for key in keys]
    assert registry.client("POST", "/segments", {"keys": ["0" * 64]}).status == 404
    assert registry.client("POST", "/segments", {"keys": []}).status == 422


def test_a_bundle_has_no_large_segments(
    first: Sending, registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many who read slowly would hold many of them in memory."""
    keys = [identifier for identifier, _, _ in first.recipe.segments()]
    longest = max(map(len, first.blobs.values()))
    monkeypatch.setattr("modelshelf.registry.api.segments.LONGEST_BUNDLED_BYTES", longest - 1)
    assert registry.client("POST", "/segments", {"keys": keys}).status == 422


def _frames(body: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        (size,) = struct.unpack_from(">I", body, at)
        yield body[at + 4 : at + 4 + size]
        at += 4 + size


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=1000-", 206, slice(1000, None)),
        ("bytes=5-9", 206, slice(5, 10)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_ranges_of_a_segment(
    first: Sending, registry: Running, asked: str | None, status: int, part: slice
) -> None:
    key, blob = next(iter(first.blobs.items()))
    if len(blob) < 1100:
        key, blob = max(first.blobs.items(), key=lambda each: len(each[1]))
    answer = registry.client("GET", f"/segments/{key}", None, {"Range": asked} if asked else None)
    assert (answer.status, answer.body) == (status, blob[part])
    assert "immutable" in answer.headers["cache-control"]


def test_a_file_that_was_given_up_is_served_all_the_same(first: Sending, registry: Running) -> None:
    store = registry.service.store
    store.delete(first.sha256)
    whole = registry.client("GET", f"/files/{first.sha256}")
    part = registry.client("GET", f"/files/{first.sha256}", None, {"Range": "bytes=100000-400000"})
    assert whole.body == first.content
    assert part.body == first.content[100_000:400_001]
    assert registry.service.raw.path(first.sha256).read_bytes() == first.content


def test_the_files_not_read_for_longest_are_given_up(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    names = [f"t{number}" for number in range(8)]
    files = {f"{seed}.safetensors": tensors(seed, *names) for seed in (11, 12)}
    one = draft(files=files, package={"include": [*files]})
    assert one.publish(acme).status == 201
    raw = registry.service.raw
    assert raw.trim() == []
    raw._bound_bytes = len(files["11.safetensors"])
    assert len(raw.trim()) == 1


def test_a_recipe_is_short_for_who_knows_another(
    first: Sending, acme: Client, draft: type[Draft], registry: Running
) -> None:
    content = tensors(1, "a", "b", "c", note="another word")
    second = Sending(acme, draft(version="1.0.1", files={"small.safetensors": content}))
    second.send()
    assert second.publish().status == 201
    plain = registry.client("GET", f"/recipes/{second.sha256}")
    short = registry.client("GET", f"/recipes/{second.sha256}?after={first.sha256}")
    assert short.headers["shelf-after"] == first.sha256
    assert short.headers["etag"] == plain.headers["etag"] == tag(plain.body)
    assert len(short.body) < len(plain.body) - 3 * 30
    whole = lengthened(short.body, first.recipe)
    assert loads(whole, len(content)) == loads(plain.body, len(content))
    for unknown in ("0" * 64, "x", ""):
        same = registry.client("GET", f"/recipes/{second.sha256}?after={unknown}")
        assert (same.body, "shelf-after" in same.headers) == (plain.body, False)


@pytest.mark.parametrize("forged", [b"", b"x" * 90, bytes(range(200))])
def test_a_short_recipe_that_cannot_be_is_refused(first: Sending, forged: bytes) -> None:
    with pytest.raises(IntegrityError):
        lengthened(forged, first.recipe)
    cut_off = shortened(dumps(first.recipe), first.recipe)[:-3]
    with pytest.raises(IntegrityError):
        lengthened(cut_off, first.recipe)
