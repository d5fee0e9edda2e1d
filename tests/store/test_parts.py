"""Files put together from segments: what is there stays there, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import Conflict, IntegrityError, ShelfError
from modelshelf.store.disk import DiskStore
from modelshelf.store.parts import assembling, begun, pulse
from modelshelf.store.recipe import Recipe
from tests.store.recipes import recipe_of, segment

SEGMENTS = tuple(segment(number, 1000 + number) for number in range(11))
CONTENT = b"".join(SEGMENTS)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RECIPE = recipe_of(*SEGMENTS)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store", fsync=False)


def names(store: DiskStore) -> list[str]:
    return sorted(path.name[64:] for path in store.partials())


def fill(store: DiskStore, *numbers: int) -> None:
    with assembling(store, SHA256, RECIPE) as parts:
        for number in numbers:
            parts.write(number, SEGMENTS[number])


def test_the_last_segment_makes_it_a_file(store: DiskStore) -> None:
    fill(store, 10, *range(5))
    assert names(store) == ["-done", "-parts"]
    with assembling(store, SHA256, RECIPE) as parts:
        assert parts.missing() == [5, 6, 7, 8, 9]
        assert parts.front() == sum(RECIPE.sizes[:5])
        for number in parts.missing():
            parts.write(number, SEGMENTS[number])
        store.commit(parts.path, SHA256, computed=parts.digest())
    assert store.path(SHA256).read_bytes() == CONTENT
    assert names(store) == []


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(11)))
def test_the_digest_follows_the_front(
    order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = DiskStore(tmp_path_factory.mktemp("store"), fsync=False)
    with assembling(store, SHA256, RECIPE) as parts:
        found: list[str | None] = []
        thread = threading.Thread(target=lambda: found.append(parts.digest()))
        thread.start()
        for number in order:
            parts.write(number, SEGMENTS[number])
        thread.join(10)
    assert found == [SHA256]


def test_who_waits_for_the_front_is_told_of_the_end(store: DiskStore) -> None:
    with assembling(store, SHA256, RECIPE) as parts:
        found: list[str | None] = []
        thread = threading.Thread(target=lambda: found.append(parts.digest()))
        thread.start()
        parts.write(0, SEGMENTS[0])
        parts.end()
        thread.join(10)
    assert found == [None]


@pytest.mark.parametrize(
    "other",
    [recipe_of(CONTENT[:5000], CONTENT[5000:]), recipe_of(*SEGMENTS[:-1], bytes(1010))],
)
def test_another_recipe_begins_anew(store: DiskStore, other: Recipe) -> None:
    fill(store, 0, 1, 2)
    assert begun(store, SHA256, other) == frozenset()
    with assembling(store, SHA256, other) as parts:
        assert parts.missing() == list(range(len(other.sizes)))


@pytest.mark.parametrize("left", [b"", b"x" * 34, b"x" * 5000])
def test_what_is_no_record_begins_anew(store: DiskStore, left: bytes) -> None:
    fill(store, 3)
    (store.root / "partial" / f"{SHA256}-done").write_bytes(left)
    with assembling(store, SHA256, RECIPE) as parts:
        assert len(parts.missing()) == 11


def test_a_file_that_became_shorter_begins_anew(store: DiskStore) -> None:
    fill(store, 3)
    os.truncate(store.root / "partial" / f"{SHA256}-parts", 4000)
    with assembling(store, SHA256, RECIPE) as parts:
        assert len(parts.missing()) == 11


def test_what_is_there_can_be_asked_without_touching_it(store: DiskStore) -> None:
    assert begun(store, SHA256, RECIPE) == frozenset()
    fill(store, 3, 9)
    before = pulse(store, SHA256)
    assert begun(store, SHA256, RECIPE) == {3, 9}
    assert pulse(store, SHA256) == before
    fill(store, 4)
    assert pulse(store, SHA256) != before


def test_damage_is_found_and_comes_again(store: DiskStore) -> None:
    fill(store, *range(11))
    with (store.root / "partial" / f"{SHA256}-parts").open("r+b") as file:
        file.seek(5000)
        file.write(b"damaged")
    with assembling(store, SHA256, RECIPE) as parts:
        assert parts.missing() == []
        assert parts.digest() != SHA256
        assert parts.drop_damaged() == parts.missing() == [4]
        assert parts.front() == sum(RECIPE.sizes[:4])
        parts.write(4, SEGMENTS[4])
        assert parts.digest() == SHA256


def test_only_one_process_is_at_it(store: DiskStore) -> None:
    with (
        assembling(store, SHA256, RECIPE),
        pytest.raises(Conflict),
        assembling(store, SHA256, RECIPE),
    ):
        pass


def test_a_wrong_file_leaves_nothing(store: DiskStore) -> None:
    with assembling(store, "0" * 64, RECIPE) as parts:
        parts.inbox(2).write_bytes(b"begun")
        for number, content in enumerate(SEGMENTS):
            parts.write(number, content)
        with pytest.raises(IntegrityError):
            store.commit(parts.path, "0" * 64, computed=parts.digest())
    assert names(store) == []


def test_a_full_disk_is_told_at_once(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ShelfError, match="No space"), assembling(store, SHA256, RECIPE):
        pass
    assert names(store) == []


def test_a_disk_that_takes_no_place_in_advance_will_do(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", cannot)
    fill(store, *range(11))
    assert (store.root / "partial" / f"{SHA256}-parts").read_bytes() == CONTENT


def test_what_lies_beside_it_goes_and_stays_with_it(store: DiskStore) -> None:
    old = (1000.0, 1000.0)
    with assembling(store, SHA256, RECIPE) as parts:
        parts.inbox(0).write_bytes(b"begun")
        for path in store.partials():
            os.utime(path, old)
        assert store.sweep(older_than_seconds=3600) == []
    os.utime(parts.path)
    assert store.sweep(older_than_seconds=3600) == []
    os.utime(parts.path, old)
    assert len(store.sweep(older_than_seconds=3600)) == 3
    assert list((store.root / "partial").iterdir()) == []
