"""What is told before fetching is what fetching then moves."""

from __future__ import annotations

import pytest

from modelshelf.client import http
from modelshelf.client.cost import cost, costs
from modelshelf.client.http import Connection
from modelshelf.client.transfer import Wanted
from modelshelf.store.disk import DiskStore
from tests.client.depot import Depot, cuts, noise, weights
from tests.client.test_segments import fetch, tuned

MIB = 1 << 20


def told(depot: Depot, store: DiskStore, *files: Wanted) -> int:
    return sum(costs(Connection(depot.url), store, files).values())


def test_the_cost_of_each_file_is_what_comes(depot: Depot, store: DiskStore) -> None:
    old = weights(1, 5 * MIB)
    parent = depot.put(old)
    child = depot.put(tuned(old, 2))
    depot.help(child, parent)
    small = depot.put(noise(3, 1000))
    files = [parent, child, small]
    before = told(depot, store, *files)
    assert before == fetch(depot, store, *files).wire
    assert told(depot, store, *files) == 0


def test_segments_that_files_share_cost_once(depot: Depot, store: DiskStore) -> None:
    body = noise(1, 2 * MIB)
    files = [depot.put(noise(n, 70_000) + body, cuts(70_000, 70_000)) for n in (2, 3, 4)]
    before = told(depot, store, *files, files[0])
    assert before == fetch(depot, store, *files).wire < 2 * MIB + 3 * 70_100
    assert sum(cost(Connection(depot.url), store, file) for file in files) == 0


def test_what_is_here_already_costs_nothing(depot: Depot, store: DiskStore) -> None:
    body = noise(1, 5 * MIB)
    first, second = depot.put(body), depot.put(body + noise(2, MIB), cuts(5 * MIB, 5 * MIB))
    assert cost(Connection(depot.url), store, second) == 6 * MIB + 3 * 2
    fetch(depot, store, first)
    assert cost(Connection(depot.url), store, second) == MIB + 2


def test_who_cannot_ask_says_the_size(depot: Depot, store: DiskStore) -> None:
    known, unknown = depot.put(weights(1, MIB)), depot.put(weights(2, MIB))
    forged = depot.put(weights(3, MIB))
    depot.recipes[forged.sha256] = b"forged"
    cost(Connection(depot.url), store, known)
    offline = Connection(depot.url, offline=True)
    assert cost(offline, store, known) < MIB
    assert cost(offline, store, unknown) == MIB
    assert cost(Connection(depot.url), store, forged) == MIB
    del depot.recipes[unknown.sha256]
    assert cost(Connection(depot.url), store, unknown) == MIB


def test_a_registry_that_is_away_is_asked_by_each_thread_at_most_once(store: DiskStore) -> None:
    files = [Wanted(f"{number:064x}", MIB) for number in range(40)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "retries", 0)
        found = costs(Connection("http://127.0.0.1:9"), store, files)
    assert sum(found.values()) == 40 * MIB
