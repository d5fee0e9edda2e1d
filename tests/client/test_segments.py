"""Files by their segments, from a server that does as it should."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from modelshelf.client import transfer
from modelshelf.client.hosts import Hosts
from modelshelf.client.http import Connection
from modelshelf.client.transfer import Moved, Wanted
from modelshelf.store import recipes
from modelshelf.store.codec import Codec
from modelshelf.store.disk import DiskStore
from modelshelf.store.recipe import SEGMENT_BYTES, Run
from tests.client.depot import Depot, cuts, noise, open_depot, weights

MIB = 1 << 20


def fetch(depot: Depot, store: DiskStore, *files: Wanted, offline: bool = False) -> Moved:
    """Fetch them, and see that they are what they should be."""
    told: list[int] = []
    before = sum(file.size for file in files if store.has(file.sha256))
    connect = partial(Connection, depot.url, token="secret", offline=offline)
    moved = transfer.fetch(connect, store, files, release="acme/m@1.0.0", progress=told.append)
    for file in files:
        assert store.path(file.sha256).read_bytes() == depot.files[file.sha256]
    assert sum(told) + before == sum(file.size for file in files)
    assert [path.name for path in store.partials()] == []
    return moved


def test_a_cold_file_comes_in_the_bytes_of_its_blobs(depot: Depot, store: DiskStore) -> None:
    content = weights(1, 9 * MIB)
    file = depot.put(content, cuts(len(content), len(content)))
    moved = fetch(depot, store, file)
    recipe = depot.recipe(file)
    assert moved == (1, len(content), sum(recipe.stored) + len(depot.recipes[file.sha256]))
    assert moved.wire < 0.7 * moved.raw
    assert {each.headers["shelf-install"][16:] for each in depot.asked[2:]} == {" acme/m@1.0.0"}


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, SEGMENT_BYTES + 1])
def test_files_of_any_size(depot: Depot, store: DiskStore, size: int) -> None:
    moved = fetch(depot, store, depot.put(noise(1, size)))
    assert (moved.files, moved.raw) == (1, size)
    assert bool(depot.paths("/segments/")) == (size >= 65536)


def test_what_has_no_recipe_comes_whole(depot: Depot, store: DiskStore) -> None:
    file = depot.put(noise(1, 3 * MIB))
    del depot.recipes[file.sha256]
    assert fetch(depot, store, file) == (1, 3 * MIB, 3 * MIB)
    assert depot.paths("/") == [f"recipes/{file.sha256}", f"files/{file.sha256}"]


def test_small_segments_come_in_bundles(depot: Depot, store: DiskStore) -> None:
    content = noise(1, 6 * MIB)
    file = depot.put(content, [*cuts(3 * MIB, 9000), *cuts(6 * MIB, 3 * MIB)])
    fetch(depot, store, file)
    bundles = [each for each in depot.asked if each.method == "POST"]
    assert len(bundles) == 4  # 350 small ones, at most 1 MiB in one
    assert len(depot.paths("/segments/")) == 1


def test_without_bundles_each_comes_alone(depot: Depot, store: DiskStore) -> None:
    depot.config["bundles"] = False
    fetch(depot, store, depot.put(noise(1, MIB), cuts(MIB, 50_000)))
    assert len(depot.paths("/segments/")) == 21


def test_a_segment_that_stands_twice_comes_once(depot: Depot, store: DiskStore) -> None:
    half = noise(1, 3 * MIB)
    file = depot.put(half + half + bytes(9 * MIB), cuts(6 * MIB, 3 * MIB))
    moved = fetch(depot, store, file)
    assert moved.wire < 3 * MIB + 2000


def test_what_another_file_has_is_not_fetched(depot: Depot, store: DiskStore) -> None:
    body, heads = noise(1, 5 * MIB), [noise(number, 100_000) for number in (2, 3)]
    files = [depot.put(head + body, cuts(len(head), len(head))) for head in heads]
    fetch(depot, store, files[0])
    depot.forget()
    assert fetch(depot, store, files[1]).wire < 101_000
    assert len(depot.paths("/segments/")) == 1


def test_files_that_share_and_come_together_are_fetched_once(
    depot: Depot, store: DiskStore
) -> None:
    body = noise(1, 2 * MIB)
    files = [
        depot.put(noise(number, 70_000) + body, cuts(70_000, 70_000)) for number in range(2, 6)
    ]
    moved = fetch(depot, store, *files)
    assert moved.files == 4
    assert moved.wire < 2 * MIB + 4 * 71_000


def test_shared_stores_are_read_and_not_written(
    depot: Depot, store: DiskStore, tmp_path: Path
) -> None:
    body = noise(1, 5 * MIB)
    files = [
        depot.put(body + noise(number, 100_000), cuts(len(body), len(body))) for number in (2, 3)
    ]
    fetch(depot, store, files[0])
    before = sorted(store.root.rglob("*"))
    mine = DiskStore(tmp_path / "mine", fsync=False, shared=[store.root])
    assert fetch(depot, mine, files[1]).wire < 101_000
    assert sorted(store.root.rglob("*")) == before


def tuned(content: bytes, number: int) -> bytes:
    """Weights a little further trained."""
    values = (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    factors = 1 + np.random.default_rng(number).standard_normal(len(values), np.float32) * 1e-3
    return bytes(((values * factors).view("<u4") >> 16).astype("<u2").tobytes())


def test_a_delta_is_fetched_by_who_has_the_parent(
    depot: Depot, store: DiskStore, tmp_path: Path
) -> None:
    old = weights(1, 9 * MIB)
    parent, child = depot.put(old, cuts(9 * MIB, 9 * MIB)), depot.put(tuned(old, 2))
    depot.help(child, parent)
    alone = fetch(depot, store, child)
    other = DiskStore(tmp_path / "other", fsync=False)
    fetch(depot, other, parent)
    with_parent = fetch(depot, other, child)
    assert with_parent.wire < 0.4 * alone.wire


def test_small_deltas_come_in_bundles(depot: Depot, store: DiskStore) -> None:
    old = weights(1, 4 * MIB)
    parent = depot.put(old, cuts(4 * MIB, 200_000))
    child = depot.put(tuned(old, 2), cuts(4 * MIB, 200_000))
    depot.help(child, parent)
    fetch(depot, store, parent)
    depot.forget()
    fetch(depot, store, child)
    assert [each.method for each in depot.asked if "segments" in each.path] == ["POST"]


def test_parents_come_before_children(depot: Depot, store: DiskStore) -> None:
    old = weights(1, 2 * MIB)
    parent, child = depot.put(old), depot.put(tuned(old, 2))
    depot.help(child, parent)
    moved = fetch(depot, store, child, parent)
    assert moved.wire < 2 * MIB


@pytest.mark.parametrize("kind", ["float32>bfloat16", "float32>float16"])
def test_a_cast_needs_no_bytes(depot: Depot, store: DiskStore, kind: str) -> None:
    wide = np.random.default_rng(1).standard_normal(3 * MIB, np.float32).tobytes()
    parent = depot.put(wide)
    child = depot.put(bytes(Codec().cast(wide, kind)))
    depot.cast(child, parent, kind)
    fetch(depot, store, parent)
    depot.forget()
    fetch(depot, store, child)
    assert depot.paths("/segments") == []


def test_a_parent_that_has_it_all_needs_no_map(depot: Depot, store: DiskStore) -> None:
    body = noise(1, 5 * MIB)
    parent = depot.put(body)
    child = depot.put(body[: 4 * MIB])
    recipe = depot.recipe(child)
    helps = (Run(0, 0, 4 * MIB),)
    from modelshelf.store.recipe import Parent

    depot.change(child, parents=(Parent(parent.sha256, "delta", helps, (0,) * len(recipe.sizes)),))
    store.put(body, parent.sha256)
    fetch(depot, store, child)
    assert depot.paths("/segments") == []


def test_packed_blobs_are_read(depot: Depot, store: DiskStore) -> None:
    from modelshelf.store.blobs import DiskBlobs

    file = depot.put(weights(1, 5 * MIB))
    blobs = DiskBlobs(store.root / "segments", fsync=False)
    for key, blob in depot.blobs.items():
        blobs.put(key, blob)
    fetch(depot, store, file)
    assert depot.paths("/segments") == []


def test_all_that_is_here_is_put_together_offline(depot: Depot, store: DiskStore) -> None:
    body = noise(1, 5 * MIB)
    first, second = depot.put(body), depot.put(body[: 4 * MIB])
    fetch(depot, store, first)
    recipes.keep(store.root, second.sha256, depot.recipes[second.sha256])
    fetch(depot, store, second, offline=True)


def test_a_recipe_that_has_not_changed_is_not_sent_again(depot: Depot, store: DiskStore) -> None:
    file = depot.put(noise(1, MIB))
    fetch(depot, store, file)
    store.delete(file.sha256)
    assert fetch(depot, store, file).wire == MIB + 2
    depot.change(file, stored=(MIB + 5,))
    store.delete(file.sha256)
    assert fetch(depot, store, file).wire == MIB + 2 + len(depot.recipes[file.sha256])


def test_another_host_is_not_told_who_we_are(depot: Depot, store: DiskStore) -> None:
    with open_depot() as other:
        depot.config = {"segments": f"{other.url}/cdn/{{prefix}}/{{key}}", "bundles": False}
        file = depot.put(noise(1, 5 * MIB))
        other.blobs = depot.blobs
        other.elsewhere = lambda path: (
            path.replace("cdn/" + path[5:7], "segments") + "?signed=1" if "cdn" in path else None
        )
        fetch(depot, store, file)
        assert depot.paths("/segments/") == []
        assert all(each.headers["authorization"] == "Bearer secret" for each in depot.asked)
        assert len(other.paths("/segments/")) == 2
        kept = {"host", "accept-encoding", "user-agent"}
        assert {name for each in other.asked for name in each.headers} == kept


def test_a_signed_address_is_followed_and_asked_for_again(depot: Depot, store: DiskStore) -> None:
    with open_depot() as bucket:
        file = depot.put(noise(1, 5 * MIB))
        bucket.blobs = depot.blobs
        signed = iter(range(1000))
        depot.elsewhere = lambda path: (
            f"{bucket.url}{path}?sign={next(signed)}" if path.startswith("/segments/") else None
        )
        seen: list[str] = []

        def expired(path: str) -> int | None:
            seen.append(path)
            return 403 if len(seen) == 1 else None

        bucket.status = expired
        fetch(depot, store, file)
        assert "authorization" not in {name for each in bucket.asked for name in each.headers}


def test_a_registry_below_a_path(depot: Depot, store: DiskStore) -> None:
    hosts = Hosts(Connection(f"{depot.url}/below"), {})
    assert hosts._located(f"{depot.url}/below/segments/a b")[1] == "/segments/a%20b"
    assert hosts._located(f"{depot.url}/segments/ab")[0] is not hosts._http


def test_nothing_is_asked_where_nothing_is_missing(depot: Depot, store: DiskStore) -> None:
    file = depot.put(noise(1, MIB))
    fetch(depot, store, file)
    depot.forget()
    assert fetch(depot, store, file) == (0, 0, 0)
    assert depot.asked == []
