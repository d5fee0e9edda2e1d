"""Whole files are a cache: given up when not read for long, made again from segments."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from modelshelf.errors import NotFound
from modelshelf.registry import contracts, fsck, operating, tables, upkeep
from modelshelf.registry.raw import SegmentReader, WholeReader
from tests.registry.conftest import digest
from tests.registry.weights import Published, model, publish

if TYPE_CHECKING:
    from modelshelf.registry.service import Service
    from tests.registry.conftest import Running

__all__ = ["publish"]


@pytest.fixture
def service(publish: Published) -> Service:
    return publish.registry.service


@pytest.fixture
def content(publish: Published) -> bytes:
    """A published file of 1.5 MB, given up."""
    (made,) = publish("1.0.0", model())
    publish.registry.service.store.delete(digest(made))
    return made


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-0", 206, slice(1)),
        ("bytes=250-900000", 206, slice(250, 900_001)),
        ("bytes=409000-", 206, slice(409_000, None)),
        ("bytes=-1", 206, slice(-1, None)),
        ("bytes=99999999-", 416, slice(0)),
        ("bytes=5-4", 200, slice(None)),
    ],
)
def test_a_file_that_was_given_up_is_read_like_any(
    registry: Running, content: bytes, asked: str | None, status: int, part: slice
) -> None:
    path, headers = f"/files/{digest(content)}", {"Range": asked} if asked else None
    answer = registry.client("GET", path, None, headers)
    assert (answer.status, answer.body) == (status, content[part])
    head = registry.client("HEAD", path, None, headers)
    assert (head.status, head.headers["content-length"]) == (status, str(len(content[part])))
    assert not registry.service.store.has(digest(content))


def test_many_may_want_it_at_once(service: Service, content: bytes) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(service.raw.path, [digest(content)] * 8))
    assert {path.read_bytes() for path in found} == {content}
    assert service.store.partials() == []


def test_what_is_asked_for_whole_again_is_made_whole(
    registry: Running, service: Service, content: bytes
) -> None:
    path = f"/files/{digest(content)}"
    for _ in range(3):
        registry.client("GET", path, None, {"Range": "bytes=0-9"})
        registry.client("HEAD", path)
    registry.client("GET", path)
    assert service.jobs.run_due() == 0
    for _ in range(2):
        registry.client("GET", path)
    assert service.jobs.run_due() == 1
    assert service.store.path(digest(content)).read_bytes() == content


def test_what_has_no_room_is_not_made_whole(service: Service, content: bytes) -> None:
    service.raw._bound_bytes = len(content) - 1
    for _ in range(3):
        upkeep.ask_for(service, digest(content))
    assert service.jobs.run_due() == 0


def test_the_ones_not_read_for_longest_go_first(publish: Published, service: Service) -> None:
    digests = [digest(each) for each in publish("1.0.0", *(model(seed=n) for n in range(4)))]
    for number, sha256 in enumerate(digests):
        long_ago = time.time() - 50_000 + number
        os.utime(service.store.path(sha256), (long_ago, long_ago))
    service.raw.path(digests[0])
    size = service.store.size(digests[0])
    service.raw._bound_bytes = 2 * size
    assert service.raw.trim() == digests[1:3]
    service.raw._bound_bytes = 0
    assert service.raw.trim() == [digests[3], digests[0]]
    assert service.raw.trim() == []
    assert [service.raw.path(each).stat().st_size for each in digests] == [size] * 4


def test_a_file_without_a_recipe_is_never_given_up(publish: Published, service: Service) -> None:
    (made,) = publish("1.0.0", model())
    with service.database.writing() as connection:
        connection.execute(delete(tables.recipes).filter_by(sha256=digest(made)))
    service.raw._bound_bytes = 0
    assert service.raw.trim() == []


def test_the_next_release_is_compared_with_one_that_was_given_up(
    publish: Published, service: Service, content: bytes
) -> None:
    with service.database.writing() as connection:
        connection.execute(delete(tables.contracts))
    service.store.delete(digest(content))
    publish("1.1.0", model(moved=0.001))
    with service.database.reading() as connection:
        assert contracts.is_current(connection, ("acme", "digits", "1.0.0"))


def test_what_was_given_up_is_scanned_again(service: Service, content: bytes) -> None:
    assert [each.after for each in operating.rescan(service, None)] == ["note"]
    assert service.store.has(digest(content))


def test_it_can_be_published_once_more(publish: Published, content: bytes) -> None:
    publish("1.0.0", model(), name="acme/copy")


def test_all_whole_files_may_be_lost(
    publish: Published, serve: Callable[[], Running], content: bytes
) -> None:
    publish.registry.stop()
    shutil.rmtree(publish.registry.service.settings.data / "store")
    registry = serve()
    again = Published(registry, replace(publish.client, url=registry.url))
    assert fsck.run(registry.service, repair=True).findings == ()
    assert registry.client("GET", f"/files/{digest(content)}").body == content
    assert registry.client("GET", "/acme/digits").status == 200
    again("1.1.0", model(moved=0.001))


def test_upkeep_bounds_whole_files_and_takes_garbage_away(service: Service, content: bytes) -> None:
    service.raw.path(digest(content))
    service.raw._bound_bytes = 0
    service.blobs.put("0" * 64, b"blob")
    os.utime(service.settings.data / "segments" / "00" / ("0" * 64), (0, 0))
    upkeep.trim(service)
    upkeep.collect(service)
    assert not service.store.has(digest(content))
    assert service.blobs.size("0" * 64) is None


def test_a_link_outlives_the_file(service: Service, content: bytes, tmp_path: Path) -> None:
    target = service.store.root / "link"
    service.raw.link(digest(content), target)
    service.raw._bound_bytes = 0
    assert service.raw.trim() == [digest(content)]
    assert target.read_bytes() == content


def test_readers(service: Service, content: bytes) -> None:
    assert isinstance(service.raw.reader(digest(content)), SegmentReader)
    service.raw.path(digest(content))
    reader = service.raw.reader(digest(content))
    assert isinstance(reader, WholeReader)
    reader.close()
    with pytest.raises(NotFound):
        service.raw.reader("0" * 64)
    assert service.raw.head("0" * 64, 10) is None
    assert service.raw.head(digest(content), 10) == content[:10]
