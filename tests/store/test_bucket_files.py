"""Objects of a bucket as files: read in ranges or fetched whole, by many threads, within bounds."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.errors import NetworkError, NotFound
from modelshelf.store import bucket_files
from modelshelf.store.bucket_files import BucketFiles
from modelshelf.store.objects import Objects
from tests.ranges import answering_ranges
from tests.s3 import ObjectStore

CONTENT = os.urandom(300_000)


@pytest.fixture(params=["ranges", "whole"])
def objects(request: pytest.FixtureRequest, s3: ObjectStore, tmp_path: Path) -> Iterator[Objects]:
    """Four objects of the same content, at a store that gives ranges and at one that does not."""
    bucket = s3.at(tmp_path.name)
    file = tmp_path / "content"
    file.write_bytes(CONTENT)
    for name in "abcd":
        Objects(bucket).put(name, file)
    if request.param == "whole":
        yield Objects(bucket)
        return
    with answering_ranges(s3.endpoint) as (endpoint, _):
        yield Objects(replace(bucket, endpoint=endpoint))


@pytest.fixture
def files(tmp_path: Path) -> BucketFiles:
    folder = tmp_path / "fetched"
    folder.mkdir()
    return BucketFiles(folder)


def test_an_object_is_read_as_a_file(files: BucketFiles, objects: Objects) -> None:
    file = files.open(f"{files.mount(objects)}a")
    assert file.seek(-10, io.SEEK_END) == len(CONTENT) - 10
    assert file.read(100) == CONTENT[-10:]
    assert file.read(100) == b""
    file.seek(5)
    file.seek(5, io.SEEK_CUR)
    assert file.read(10) == CONTENT[10:20]
    assert file.read() == CONTENT[20:]
    assert files.info(f"{files.mount(objects)}a")["size"] == len(CONTENT)


def test_threads_that_share_a_file_do_not_move_each_other(
    files: BucketFiles, objects: Objects
) -> None:
    address = files.mount(objects)
    shared = {name: files.open(f"{address}{name}") for name in "abcd"}

    def read(number: int) -> bool:
        file, start = shared["abcd"[number % 4]], number * 1000
        file.seek(start)
        return file.read(1000) == CONTENT[start : start + 1000]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(200)))


def test_what_was_fetched_first_is_forgotten_first(
    files: BucketFiles, s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_files, "KEPT_BYTES", 2 * len(CONTENT))
    objects = Objects(s3.at(tmp_path.name))
    (tmp_path / "content").write_bytes(CONTENT)
    for name in "abc":
        objects.put(name, tmp_path / "content")
    address = files.mount(objects)
    for name in "abca":
        assert files.open(f"{address}{name}").read() == CONTENT
        assert sum(each.stat().st_size for each in (tmp_path / "fetched").iterdir()) <= (
            2 * len(CONTENT)
        )


def test_what_went_wrong_is_kept(files: BucketFiles, objects: Objects, s3: ObjectStore) -> None:
    address = files.mount(objects)
    with pytest.raises(NotFound):
        files.open(f"{address}none")
    assert isinstance(files.failure, NotFound)
    nowhere = files.mount(Objects(replace(s3.at("x"), endpoint="http://127.0.0.1:9")))
    with pytest.raises(NetworkError):
        files.open(f"{nowhere}a")
    assert isinstance(files.failure, NetworkError)


def test_a_bucket_is_only_read(files: BucketFiles, objects: Objects) -> None:
    with pytest.raises(NotImplementedError):
        files.open(f"{files.mount(objects)}a", "wb")
