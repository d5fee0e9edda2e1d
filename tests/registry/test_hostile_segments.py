"""Attacks on uploads by segments: refused in a moment, and nothing of them is seen or kept."""

from __future__ import annotations

import http.client
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import blake3
import msgspec
import numpy as np
import pytest
import zstandard

from modelshelf.store.codec import DELTA, FLOAT_DELTA, FRAME, PLANES, RAW, Codec
from modelshelf.store.recipe import DELTA as KIND
from modelshelf.store.recipe import Parent, Recipe, dumps, loads
from tests.registry.conftest import Client, Draft, digest
from tests.registry.test_segments import Sending, tensors

if TYPE_CHECKING:
    from tests.registry.conftest import Answer

FILE = "small.safetensors"
NOBODY = "0" * 64
Accounts = Callable[[], Client]


@pytest.fixture
def account(registry_url: str, publisher: str) -> Accounts:
    """Opens an account that no other test has, at the registry that all share."""
    names = iter(f"{publisher}-{number}" for number in range(9))
    return lambda: Client(registry_url).account(next(names))


@pytest.fixture
def seed(publisher: str) -> int:
    """Numbers that no other test has."""
    return int(publisher[1:], 16) % (1 << 40)


def weights(seed: int, *names: str) -> bytes:
    """A file that no other seed gives a segment of."""
    return tensors(seed, *names, note=f"{seed:012x}")


def publishing(client: Client, content: bytes, version: str = "1.0.0") -> Sending:
    """A session of the client's own account with one large file."""
    name = client("GET", "/api/v1/me").json["account"]
    return Sending(client, Draft(name=f"{name}/digits", version=version, files={FILE: content}))


@pytest.fixture
def sending(account: Accounts, seed: int) -> Sending:
    """A session that has told its recipe, and sent nothing."""
    sending = publishing(account(), weights(seed, "a", "b"))
    assert len(sending.missing().json["missing"]) == 3
    return sending


def published(client: Client, content: bytes) -> Sending:
    sending = publishing(client, content)
    sending.send()
    assert sending.publish().status == 201
    return sending


def kept(registry_data: Path, identifier: str) -> list[Path]:
    """All blobs of a segment that the registry has."""
    return list((registry_data / "segments").glob(f"{identifier[:2]}/{identifier}*"))


def assert_untouched(sending: Sending) -> None:
    """The session goes on as if nothing had been: all of it is sent, and is the file."""
    sending.send()
    assert sending.publish().status == 201
    assert sending.client("GET", f"/files/{sending.sha256}").body == sending.content


def pack(value: object) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=True).compress(msgspec.msgpack.encode(value))


def sized(recipe: Recipe, *sizes: int) -> Recipe:
    return Recipe(recipe.size, recipe.ids[: 32 * len(sizes)], sizes, (1,) * len(sizes))


FORGERIES: dict[str, Callable[[Recipe], bytes]] = {
    "no frame": lambda _: b"no frame",
    "nothing": lambda _: b"",
    "another size": lambda it: dumps(msgspec.structs.replace(it, size=it.size + 1)),
    "a wrong sum": lambda it: dumps(sized(it, 1, 2, 3)),
    "a segment of nothing": lambda it: dumps(sized(it, it.size, 0)),
    "a negative one": lambda it: dumps(sized(it, it.size + 9, -9)),
    "one too large": lambda it: dumps(sized(it, 5 << 20)),
    "fewer ids": lambda it: dumps(msgspec.structs.replace(it, ids=it.ids[:-32])),
    "parents": lambda it: dumps(
        msgspec.structs.replace(it, parents=(Parent(NOBODY, KIND, (), (None,) * 3),))
    ),
    "two sizes of one": lambda it: dumps(
        Recipe(it.size, it.ids[:32] * 2, (1, it.size - 1), (1, 1))
    ),
    "a billion segments": lambda it: pack([it.size, b"", [1] * (1 << 20), [], []]),
    "a bomb": lambda _: zstandard.ZstdCompressor(level=1).compress(bytes(1 << 30)),
    "a list that lies": lambda it: zstandard.compress(
        b"\x95" + msgspec.msgpack.encode(it.size) + b"\xc4\x00\xdd\x3b\x9a\xca\x00\x01\x90\x90"
    ),
}


def test_forged_recipes_are_refused(sending: Sending) -> None:
    for forgery, make in FORGERIES.items():
        answer = sending.missing(make(sending.recipe) or b" ")
        assert answer.status == 422, forgery
    assert sending.missing(bytes(11 << 20)).status == 413
    assert_untouched(sending)


def test_only_who_publishes_tells_recipes(sending: Sending, account: Accounts) -> None:
    path, body = f"{sending.address}/recipes/{sending.sha256}", dumps(sending.recipe)
    url = sending.client.url
    assert Client(url)("PUT", path, body).status == 401
    assert account()("PUT", path, body).status == 404
    name = sending.client("GET", "/api/v1/me").json["account"]
    reader = Client(url, Client(url).new_token(name, scopes=["read"]).json["token"])
    assert reader("PUT", path, body).status == 403
    assert sending.client("PUT", f"{sending.address}/recipes/{NOBODY}", body).status == 404
    assert sending.client("PUT", f"{sending.address}/recipes/..%2fx", body).status == 404


IMPOSSIBLE: tuple[tuple[str, int, int, int], ...] = (
    (NOBODY, 0, 10, 404),
    ("ID-" + NOBODY, 0, 10, 404),
    ("ID-ID", 0, 10, 404),
    ("ID-" + NOBODY[1:], 0, 10, 404),
    ("ID" + "-" + NOBODY * 9, 0, 10, 404),
    ("..%2f..%2fregistry.sqlite", 0, 10, 404),
    ("ID", 0, 1 << 40, 422),
    ("ID", 0, (4 << 20) + 65, 422),
    ("ID", 0, 0, 422),
    ("ID", 0, -1, 400),
    ("ID", -1, 10, 400),
    ("ID", 0, 10**30, 400),
    ("ID", 10**30, 10, 400),
    ("ID", 1 << 40, 10, 409),
    ("ID", 0, 9, 422),
)
"""Key, offset, length of the blob, and what is answered."""


def test_segments_that_cannot_be_are_refused(sending: Sending) -> None:
    identifier = next(iter(sending.blobs))
    for key, offset, stored, status in IMPOSSIBLE:
        path = f"{sending.address}/segments/{key.replace('ID', identifier)}"
        answer = sending.client("PUT", f"{path}?offset={offset}&stored={stored}", b"x" * 10)
        assert answer.status == status, (key, offset, stored)
    assert_untouched(sending)


def frame(size: int) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(bytes(size))


BOMBS = {
    "more than it should be": bytes((FRAME, 0)) + frame(1 << 30),
    "a frame that lies": bytes((FRAME, 0)) + frame(160_000)[:6] + b"\xff" * 8 + frame(160_000)[6:],
    "planes of nothing": bytes((PLANES, 4)) + b"\x00" * 9,
    "a base that is not named": bytes((DELTA, 4)) + b"\x00" * 9,
    "no such way": bytes((200, 4)) + b"\x00" * 9,
    "only its head": bytes((RAW,)),
    "other bytes": bytes((RAW, 4)) + bytes(160_000),
    "too few bytes": bytes((RAW, 4)) + bytes(159_999),
}


@pytest.mark.parametrize("way", ["alone", "in a bundle"])
def test_bombs_are_refused(sending: Sending, registry_data: Path, way: str) -> None:
    identifier = list(sending.blobs)[1]
    for bomb, blob in BOMBS.items():
        if way == "alone":
            answer = sending.put(identifier, blob)
        else:
            body = framed(identifier, blob)
            answer = sending.client("POST", f"{sending.address}/segments", body)
        assert (answer.status, answer.json["error"]) == (422, "IntegrityError"), bomb
        assert kept(registry_data, identifier) == []
    assert_untouched(sending)


def framed(key: str, blob: bytes) -> bytes:
    return struct.pack(">H", len(key)) + key.encode() + struct.pack(">I", len(blob)) + blob


NO_BUNDLES: tuple[tuple[Callable[[str, bytes], bytes], int], ...] = (
    (lambda _key, _blob: b"\x00", 422),
    (lambda key, blob: framed(key, blob)[:-1], 422),
    (lambda _key, _blob: b"\xff\xff" + b"x" * 100, 422),
    (lambda key, _blob: b"\x00\x40" + key.encode() + b"\xff\xff\xff\xff", 422),
    (lambda _key, _blob: framed("", b""), 404),
    (lambda _key, blob: framed(NOBODY, blob), 404),
    (lambda _key, blob: framed("\x00/../x", blob), 404),
    (lambda _key, _blob: bytes(9 << 20), 404),
    (lambda _key, _blob: b"", 204),
    (lambda key, blob: framed(key, blob) + framed(key, blob)[:70], 422),
    (lambda key, blob: framed(key, blob) * 70, 422),
)


def test_bundles_that_are_none_are_refused(sending: Sending) -> None:
    key, blob = list(sending.blobs.items())[1]
    for number, (make, status) in enumerate(NO_BUNDLES):
        answer = sending.client("POST", f"{sending.address}/segments", make(key, blob))
        assert answer.status == status, number
    assert_untouched(sending)


def hung_up(sending: Sending, path: str, body: bytes, sent: int) -> None:
    """Announce all of a body, send its first bytes, and hang up."""
    connection = http.client.HTTPConnection(urlsplit(sending.client.url).netloc, timeout=30)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Bearer {sending.client.token}")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:sent])
    connection.close()


def test_what_came_before_a_bundle_broke_off_is_kept(sending: Sending) -> None:
    body = b"".join(framed(key, blob) for key, blob in sending.blobs.items())
    hung_up(sending, f"{sending.address}/segments", body, len(body) - 5)
    last, blob = list(sending.blobs.items())[-1]
    left: list[dict[str, object]] = [{}, {}]
    while len(left) > 1 or not left[0]["offset"]:
        left = sending.missing().json["missing"]
    assert left == [{"id": last, "offset": len(blob) - 5}]
    assert sending.put(last, blob[-5:], offset=len(blob) - 5).json["complete"]
    assert_untouched(sending)


def test_the_segments_of_others_must_be_sent(account: Accounts, seed: int) -> None:
    """Who knows only digests of what someone else is about to publish gets none of it."""
    content = weights(seed, "a", "b")
    secret = publishing(account(), content)
    ids = secret.send()
    thief = publishing(account(), content)
    assert [each["id"] for each in thief.missing().json["missing"]] == ids
    assert thief.publish().status == 409
    own = publishing(account(), weights(seed + 1, "a"))
    own.missing()
    for base in ids:
        for identifier in own.blobs:
            assert own.put(f"{identifier}-{base}", b"x" * 10).status == 404
    assert own.client("GET", f"/segments/{ids[0]}").status == 404
    assert own.client("POST", "/segments", {"keys": ids}).status == 404
    assert_untouched(own)
    assert secret.publish().status == 201


def test_a_recipe_of_segments_in_other_sizes_is_not_published(
    account: Accounts, seed: int, registry_url: str
) -> None:
    """All segments may be read, and were never so small."""
    before = published(account(), weights(seed, "a"))
    client = account()
    other = publishing(client, weights(seed + 1, "a"))
    count = len(before.recipe.sizes)
    sizes = (other.recipe.size - count + 1, *(1,) * (count - 1))
    forged = Recipe(other.recipe.size, before.recipe.ids, sizes, sizes)
    assert other.missing(dumps(forged)).json["missing"] == []
    assert (answer := other.publish()).status == 422, answer.body
    assert Client(registry_url)("GET", f"/files/{other.sha256}").status == 404
    assert Client(registry_url)("GET", f"/recipes/{other.sha256}").status == 404


def test_a_recipe_of_another_file_is_not_published(account: Accounts, seed: int) -> None:
    before = published(account(), weights(seed, "a"))
    other = publishing(account(), weights(seed + 1, "a"))
    assert other.recipe.size == before.recipe.size
    assert other.missing(dumps(before.recipe)).json["missing"] == []
    answer = other.publish()
    assert (answer.status, answer.json["error"]) == (422, "IntegrityError")
    assert other.client("GET", f"/files/{other.sha256}").status == 404
    assert_untouched(other)


@pytest.mark.parametrize("when", ["before", "amid"])
def test_a_file_that_was_sent_whole_has_its_own_recipe(
    account: Accounts, seed: int, when: str
) -> None:
    """Else who publishes a file first could make it unreadable for all."""
    before = published(account(), weights(seed, "a"))
    other = publishing(account(), weights(seed + 1, "a"))
    path = f"{other.address}/files/{other.sha256}?offset="
    if when == "amid":
        other.client("PUT", f"{path}0", other.content[:1000])
    assert other.missing(dumps(before.recipe)).status == 200
    start = 1000 if when == "amid" else 0
    assert other.client("PUT", f"{path}{start}", other.content[start:]).json["complete"]
    assert other.publish().status == 201
    told = loads(other.client("GET", f"/recipes/{other.sha256}").body, len(other.content))
    for identifier, start, size in told.segments():
        raw = other.content[start : start + size]
        assert blake3.blake3(raw).hexdigest() == identifier
        assert Codec().decode(other.client("GET", f"/segments/{identifier}").body, size) == raw


def deltas(sending: Sending, base: bytes) -> tuple[str, bytes]:
    """The key and the blob of the last segment, told against the same bytes of `base`."""
    size = sending.recipe.sizes[-1]
    raw, parent = sending.content[-size:], base[-size:]
    blob = Codec().delta(raw, parent, 4, floating=True, below=size)
    assert blob is not None
    return f"{blake3.blake3(raw).hexdigest()}-{blake3.blake3(parent).hexdigest()}", blob


def near(content: bytes) -> bytes:
    """The same file after a little training."""
    numbers = np.frombuffer(content[-160_000:], "<f4")
    return content[:-160_000] + (numbers * np.float32(1 + 2**-20)).tobytes()


def test_a_difference_is_told_against_what_it_says(
    account: Accounts, seed: int, registry_data: Path
) -> None:
    content = weights(seed, "a")
    before = published(account(), content)
    sending = publishing(account(), near(content))
    sending.missing()
    key, blob = deltas(sending, content)
    identifier = key[:64]
    header = before.recipe.ids[:32].hex()
    for wrong_key, wrong_blob in (
        (f"{identifier}-{header}", blob),
        (key, blob[:-1]),
        (key, bytes((FLOAT_DELTA, 0)) + blob[2:]),
        (key, bytes((DELTA, 255)) + blob[2:]),
        (identifier, blob),
        (f"{identifier}-{identifier}", blob),
    ):
        answer = sending.put(wrong_key, wrong_blob)
        assert answer.status in (404, 422), wrong_key
        assert kept(registry_data, identifier) == []
    assert sending.put(key, blob).json["complete"]
    assert {path.name for path in kept(registry_data, identifier)} == {identifier, key}
    assert_untouched(sending)


def test_what_came_as_a_difference_is_read_alone(account: Accounts, seed: int) -> None:
    content = weights(seed, "a")
    published(account(), content)
    sending = publishing(account(), near(content))
    sending.missing()
    key, blob = deltas(sending, content)
    assert sending.put(key, blob).json["complete"]
    assert_untouched(sending)
    alone = sending.client("GET", f"/segments/{key[:64]}").body
    size = sending.recipe.sizes[-1]
    assert len(alone) < 0.9 * size
    assert Codec().decode(alone, size) == sending.content[-size:]


def test_a_difference_is_gone_on_with(account: Accounts, seed: int) -> None:
    content = weights(seed, "a")
    published(account(), content)
    sending = publishing(account(), near(content))
    sending.missing()
    key, blob = deltas(sending, content)
    sending.put(key, blob[:99], stored=len(blob))
    identifier, _, base = key.partition("-")
    wanted = {"id": identifier, "offset": 99, "base": base}
    assert wanted in sending.missing().json["missing"]
    assert sending.put(key, blob[99:], offset=99).json["complete"]
    assert_untouched(sending)


@pytest.mark.parametrize("end", ["dropped", "published"])
def test_a_session_that_has_ended_takes_nothing(sending: Sending, end: str) -> None:
    identifier, blob = next(iter(sending.blobs.items()))
    if end == "dropped":
        sending.client("DELETE", sending.address)
    else:
        assert_untouched(sending)
    assert sending.missing().json["missing"] == []
    assert sending.client("POST", f"{sending.address}/segments", b"").status == 409
    answer: Answer = sending.put(identifier, blob)
    assert answer.status == (409 if end == "dropped" else 200)
    assert digest(sending.content) == sending.sha256
