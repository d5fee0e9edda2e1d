"""Garbage: what nobody needs goes, what anybody needs stays, whoever publishes meanwhile."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import msgspec
import numpy as np
import pytest
from sqlalchemy import delete, select, update

from modelshelf.registry import encoding, garbage, recipes, staging, tables
from modelshelf.registry.garbage import Garbage, collect
from modelshelf.registry.service import Service
from modelshelf.store.blobs import DiskBlobs
from modelshelf.store.codec import Codec
from modelshelf.store.recipe import dumps
from tests.registry.conftest import digest
from tests.registry.test_segments import ROWS, Sending, cut, tensors
from tests.registry.weights import Published, bf16, model, publish

if TYPE_CHECKING:
    from tests.registry.conftest import Client, Draft, Running

__all__ = ["publish"]

NOTHING = Garbage(0, 0, 0, 0, 0)
ORPHAN = "0" * 64


@pytest.fixture
def service(registry: Running) -> Service:
    return registry.service


def now(service: Service, *, dry_run: bool = False) -> Garbage:
    """Collect, however young things are."""
    return collect(service, dry_run=dry_run, older_than_seconds=-60)


def held(service: Service) -> set[str]:
    return {each.key for each in service.blobs.held()}


def rows(service: Service) -> set[str]:
    with service.database.reading() as connection:
        found = connection.execute(select(tables.segments.c.id, tables.segments.c.base))
        return {f"{row.id}-{row.base}" if row.base else row.id for row in found}


def expire(service: Service) -> None:
    """Forget all sessions."""
    with service.database.writing() as connection:
        connection.execute(update(tables.sessions).values(expires="2000-01-01T00:00:00.000000Z"))
    staging.sweep(service.database, service.store, 0)


def test_what_is_published_stays(publish: Published, service: Service) -> None:
    contents = publish("1.0.0", model(), bf16(model()))
    contents += publish("1.1.0", bf16(model(moved=0.001)))
    before = held(service)
    assert any("-" in key for key in before)
    assert now(service) == NOTHING
    assert held(service) == rows(service) == before
    for content in contents:
        service.store.delete(digest(content))
        assert service.raw.path(digest(content)).read_bytes() == content


def test_what_nothing_names_goes_when_it_is_old(service: Service) -> None:
    service.blobs.put(ORPHAN, b"blob")
    assert collect(service) == NOTHING
    found = Garbage(segments=0, differences=0, blobs=1, freed_bytes=4, litter=0)
    assert now(service, dry_run=True) == found
    assert held(service) == {ORPHAN}
    assert now(service) == found
    assert held(service) == set()


def test_what_a_session_sent_stays_with_it(
    service: Service, acme: Client, draft: type[Draft]
) -> None:
    sending = Sending(acme, draft(files={"small.safetensors": tensors(1, "a", "b")}))
    sent = {*sending.send()}
    assert now(service) == NOTHING
    assert held(service) == sent
    expire(service)
    assert now(service).blobs == len(sent)


def test_what_no_recipe_names_any_more_goes(publish: Published, service: Service) -> None:
    (old,) = publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", dict([*bf16(model()).items()][1:]))
    shared = publish.recipe(new).distinct()
    lost = publish.recipe(old).distinct() - shared
    with service.database.writing() as connection:
        of = tables.recipes
        connection.execute(delete(of).where(of.c.sha256 == digest(old)))
        kept = {*recipes.readable(connection, shared)}
    assert now(service) == NOTHING, "its session names it"
    expire(service)
    told = now(service, dry_run=True)
    assert (told.segments, told.blobs) == (len(lost), len(lost))
    assert now(service).segments == len(lost)
    assert kept == shared <= held(service)
    assert not lost & held(service)
    assert not lost & rows(service)


def without_parents(service: Service, content: bytes) -> None:
    with service.database.writing() as connection:
        recipe = recipes.find(connection, digest(content))
        assert recipe is not None
        body = dumps(msgspec.structs.replace(recipe, parents=()))
        of = tables.recipes
        connection.execute(update(of).where(of.c.sha256 == digest(content)).values(body=body))


def test_differences_that_no_recipe_leads_to_go(publish: Published, service: Service) -> None:
    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    before = held(service)
    without_parents(service, new)
    assert now(service).differences == 3
    assert held(service) == rows(service) == {key for key in before if "-" not in key}


@pytest.mark.parametrize("is_read", [True, False])
def test_a_base_that_is_no_segment_of_its_file_is_known_too(
    publish: Published, service: Service, is_read: bool
) -> None:
    (old,) = publish("1.0.0", bf16(model(rows=420)))
    (new,) = publish("1.1.0", bf16(model(rows=400, moved=0.001)))
    assert sum(each is not None for each in publish.saved(new, old).values()) == 3
    before = held(service)
    if not is_read:  # its base is lost: nobody can tell
        lost = next(iter(publish.recipe(old).segments()))[0]
        embed = [*publish.recipe(old).segments()][1][0]
        service.blobs.delete(embed)
        before -= {embed}
        assert lost in before
    assert now(service) == NOTHING
    assert held(service) == before


def test_who_finds_parents_meanwhile_keeps_the_differences(
    publish: Published, service: Service
) -> None:
    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    with service.database.reading() as connection:
        known = recipes.find(connection, digest(new))
    without_parents(service, new)
    survey = garbage._Survey(service)
    with service.database.reading() as connection:
        survey.look(connection)
    assert known is not None
    with service.database.writing() as connection:
        recipes.add_parents(connection, digest(new), [(each, []) for each in known.parents])
    assert len(survey.unnamed()) == 3
    assert garbage._forget(service, survey, survey.unnamed()) == set()


def test_litter_is_swept(service: Service) -> None:
    blobs = service.blobs
    assert isinstance(blobs, DiskBlobs)
    litter = [blobs.root / "ab" / ".cd.part", service.store.root / "judge-x" / "a" / "b"]
    for path in litter:
        path.parent.mkdir(parents=True)
        path.touch()
    assert collect(service).litter == 0
    for path in (litter[0], litter[1].parent.parent):
        os.utime(path, (0, 0))
    assert collect(service).litter == 2
    assert not any(path.exists() for path in litter)


class Sweeping:
    """Collects without end, however young things are, in a thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self.rounds = 0
        self.gone = 0

    def __enter__(self) -> Self:
        self._done = self._pool.submit(self._sweep)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._done.result()
        self._pool.shutdown()

    def _sweep(self) -> None:
        while not self._stop.is_set():
            self.gone += now(self._service).blobs
            self.rounds += 1


def whole(acme: Client, draft: type[Draft], number: int, content: bytes) -> None:
    one = draft(version=f"1.{number}.0", files={"small.safetensors": content})
    assert one.publish(acme).status == 201


def by_segments(acme: Client, draft: type[Draft], number: int, content: bytes) -> None:
    files = {"small.safetensors": content}
    sending = Sending(acme, draft(version=f"1.{number}.0", files=files))
    sending.send()
    assert sending.missing().json["missing"] == []
    assert sending.publish().status == 201


@pytest.mark.no_cover
@pytest.mark.parametrize("send", [whole, by_segments])
def test_who_publishes_meanwhile_loses_nothing(
    service: Service,
    registry: Running,
    acme: Client,
    draft: type[Draft],
    send: Callable[[Client, type[Draft], int, bytes], None],
) -> None:
    contents = [tensors(number, "a", "b", "c") for number in range(6)]
    with Sweeping(service) as sweeping:
        for number, content in enumerate(contents):
            # what is sent next lies there already, needed by nobody
            sending = Sending(acme, draft(version="9.0.0", files={"small.safetensors": content}))
            for key, blob in sending.blobs.items():
                service.blobs.put(key, blob)
            send(acme, draft, number, content)
    assert sweeping.rounds > 3
    assert sweeping.gone > 3
    assert {row for row in rows(service) if "-" not in row} <= held(service)
    for content in contents:
        service.store.delete(digest(content))
        assert registry.client("GET", f"/files/{digest(content)}").body == content


def test_who_sends_differences_meanwhile_loses_none(
    service: Service, acme: Client, draft: type[Draft]
) -> None:
    whole(acme, draft, 0, tensors(1, *"abcdefgh"))
    _, old = cut(tensors(1, *"abcdefgh"))
    with Sweeping(service) as sweeping:
        for number in range(1, 5):
            content = scaled(tensors(1, *"abcdefgh"), 1 + number / 1e6)
            files = {"small.safetensors": content}
            sending = Sending(acme, draft(version=f"1.{number}.0", files=files))
            sending.missing()
            for key, blob in against(content, [*old]).items():
                service.blobs.put(key, blob)
                assert sending.put(key, blob).status == 200
            assert sending.publish().status == 201
    assert sweeping.gone > 3
    assert len({key for key in rows(service) if "-" in key}) >= 32
    assert rows(service) <= held(service)


def scaled(content: bytes, factor: float) -> bytes:
    start = 8 + struct.unpack_from("<Q", content)[0]
    numbers = np.frombuffer(content, "<f4", offset=start) * np.float32(factor)
    return content[:start] + numbers.astype("<f4").tobytes()


def against(content: bytes, bases: list[str]) -> dict[str, bytes]:
    """What the segments of a file are against bases in the same order, by key; the head by itself."""
    old = tensors(1, *"abcdefgh")
    made = {}
    for (identifier, start, size), base in zip(cut(content)[0].segments(), bases, strict=True):
        raw = content[start : start + size]
        if size == 4 * ROWS:
            at = start - len(content) + len(old)
            blob = Codec().delta(raw, old[at : at + size], 4, floating=True, below=size)
            assert blob is not None
            made[f"{identifier}-{base}"] = blob
        else:
            made[identifier] = Codec().solo(raw)
    return made


@pytest.mark.no_cover
def test_who_finds_parents_meanwhile_loses_nothing(publish: Published, service: Service) -> None:
    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    blobs = {key: service.blobs.get(key) for key in held(service) if "-" in key}
    assert len(blobs) == 3
    with Sweeping(service) as sweeping:
        for _ in range(6):
            without_parents(service, new)
            for key, blob in blobs.items():
                service.blobs.put(key, blob)
            encoding.encode(service, ("acme", "digits", "1.1.0"))
            assert blobs.keys() <= held(service)
    assert sweeping.gone > 3
    assert publish.recipe(new).parents
    assert blobs.keys() <= rows(service)
