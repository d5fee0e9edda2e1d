"""Files of before there were recipes get theirs from jobs, whatever today's readers make of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select

from modelshelf.registry import encoding, recipes, tables
from modelshelf.registry.families import JOB as FAMILIES
from modelshelf.store.recipe import SMALL_BYTES
from tests.registry.conftest import digest
from tests.registry.test_segments import tensors
from tests.registry.weights import Published, bf16, model

if TYPE_CHECKING:
    from modelshelf.registry.service import Service
    from tests.registry.conftest import Client, Draft, Running


def as_before(service: Service) -> None:
    """Take away what no registry had before there were recipes."""
    with service.database.writing() as connection:
        of_sessions = (tables.session_segments, tables.session_recipes)
        for table in (tables.recipes, tables.segments, tables.jobs, *of_sessions):
            connection.execute(delete(table))
    for each in list(service.blobs.held()):
        service.blobs.delete(each.key)


def by_hand(registry: Running) -> Service:
    """The registry, whose jobs are done when the test says so."""
    registry.service.jobs.stop(30)
    registry.service.jobs._stopping.clear()
    return registry.service


def test_a_registry_of_before_is_brought_up_to_date(serve: Callable[[], Running]) -> None:
    first = serve()
    by_hand(first)
    publish = Published(first, first.client.account("acme"))
    (old,) = publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    before = {each: publish.recipe(each) for each in (old, new)}
    assert before[new].parents
    as_before(first.service)
    first.stop()
    second = serve()
    again = Published(second, first.client)
    by_hand(second).jobs.run_due()
    for content, recipe in before.items():
        assert again.recipe(content) == recipe
        second.service.store.delete(digest(content))
        assert second.client("GET", f"/files/{digest(content)}").body == content
    with second.service.database.reading() as connection:
        lacking = select(tables.blobs.c.sha256).where(
            tables.blobs.c.sha256.not_in(select(tables.recipes.c.sha256))
        )
        assert connection.execute(lacking).all() == []
        jobs = connection.execute(select(tables.jobs.c.kind, tables.jobs.c.error)).all()
    # families are made a while after the last change
    assert [each for each in jobs if each.kind != FAMILIES] == []


def test_parents_are_found_in_whichever_order_jobs_are_done(
    registry: Running, acme: Client
) -> None:
    service = by_hand(registry)
    publish = Published(registry, acme)
    publish("1.0.0", bf16(model()))
    (new,) = publish("1.1.0", bf16(model(moved=0.001)))
    before = publish.recipe(new)
    as_before(service)
    encoding.encode(service, ("acme", "digits", "1.1.0"))
    assert publish.recipe(new) == before


def test_nothing_is_left_to_do_after_a_publish(
    serve: Callable[[], Running], draft: type[Draft]
) -> None:
    registry = serve()
    assert draft().publish(registry.client.account("acme")).status == 201
    by_hand(registry).jobs.run_due()
    registry.stop()
    second = serve()
    service = by_hand(second)
    with service.database.reading() as connection:
        waiting = select(tables.jobs).where(tables.jobs.c.kind != FAMILIES)
        assert connection.execute(waiting).all() == []


BROKEN = tensors(1, "a")[:-1]


@pytest.mark.parametrize(
    "content",
    [
        b"no tensors at all" * 10_000,
        BROKEN,
        b"\xff" * 8 + BROKEN[8:],
        b"PK\x03\x04" + bytes(SMALL_BYTES),
        b"",
    ],
    ids=["text", "cut off", "endless head", "no archive", "empty"],
)
def test_what_todays_readers_cannot_read_is_cut_all_the_same(
    registry: Running, acme: Client, draft: type[Draft], content: bytes
) -> None:
    service = by_hand(registry)
    sound = tensors(1, "a")
    assert draft(files={"small.safetensors": sound}).publish(acme).status == 201
    broken = service.store.stage()
    broken.write_bytes(content)
    service.store.commit(broken, digest(content))
    _replace(service, sound, content)
    encoding.encode(service, ("acme", "digits", "1.0.0"))
    service.store.delete(digest(content))
    assert service.raw.path(digest(content)).read_bytes() == content


def _replace(service: Service, old: bytes, new: bytes) -> None:
    """Let the release have had another file ever since."""
    as_before(service)
    with service.database.writing() as connection:
        row = {"sha256": digest(new), "size": len(new), "git": "", "md5": "", "created": ""}
        connection.execute(tables.blobs.insert(), row)
        connection.execute(tables.release_files.update().values(sha256=digest(new)))
        entry = connection.execute(select(tables.releases.c.entry)).scalar_one()
        changed = json.loads(entry)
        changed["files"][0] |= {"sha256": digest(new), "size": len(new)}
        connection.execute(tables.releases.update().values(entry=json.dumps(changed).encode()))
    service.store.delete(digest(old))


def test_a_release_whose_file_is_lost_hinders_no_other(
    registry: Running, acme: Client, draft: type[Draft]
) -> None:
    service = by_hand(registry)
    contents = [tensors(number, "a") for number in (1, 2)]
    for version, content in zip(("1.0.0", "2.0.0"), contents, strict=True):
        files = {"small.safetensors": content}
        assert draft(version=version, files=files).publish(acme).status == 201
    as_before(service)
    service.store.delete(digest(contents[0]))
    with service.database.writing() as connection:
        encoding.enqueue_lacking(connection)
    assert service.jobs.run_due() == 2
    with service.database.reading() as connection:
        assert recipes.find(connection, digest(contents[1])) is not None
        assert "NotFound" in connection.execute(select(tables.jobs.c.error)).scalar_one()
