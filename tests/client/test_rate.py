"""`--limit-rate`: threads share what may pass, in order, evenly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.client.http import Connection
from modelshelf.client.rate import Bucket, parsed
from modelshelf.errors import UsageError
from tests.client.depot import noise, open_depot


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@given(takes=st.lists(st.integers(1, 5000), max_size=50), rate=st.integers(100, 10_000))
def test_no_more_passes_than_may(takes: list[int], rate: int) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock=clock, sleep=clock.sleep)
    for count in takes:
        bucket.take(count)
    assert clock.now - 100 == pytest.approx(sum(takes) / rate)


def test_who_waits_is_served_in_turn() -> None:
    clock = Clock()
    waits: list[float] = []
    bucket = Bucket(1000, clock=clock, sleep=waits.append)
    for _ in range(3):
        bucket.take(500)
    assert waits == pytest.approx([0.5, 1.0, 1.5])


def test_only_a_little_is_saved_up() -> None:
    clock = Clock()
    bucket = Bucket(1000, clock=clock, sleep=clock.sleep)
    clock.now += 3600
    bucket.take(250)
    assert clock.slept == []
    bucket.take(100)
    assert clock.slept == pytest.approx([0.1])


@given(chunks=st.lists(st.binary(max_size=300)), rate=st.integers(1, 5000))
def test_bytes_sent_stay_the_same(chunks: list[bytes], rate: int) -> None:
    clock = Clock()
    paced = list(Bucket(rate, clock=clock, sleep=clock.sleep).paced(chunks))
    assert b"".join(paced) == b"".join(chunks)
    assert all(len(each) <= max(1, rate // 10) for each in paced)


def test_all_that_is_read_counts() -> None:
    clock = Clock()
    with open_depot() as depot:
        file = depot.put(noise(1, 50_000))
        http = Connection(depot.url, rate=Bucket(10_000, clock=clock, sleep=clock.sleep))
        assert http.get(f"/files/{file.sha256}").body == depot.files[file.sha256]
    assert 5.0 <= clock.now - 100 < 5.2


@pytest.mark.parametrize(
    ("text", "rate"),
    [("20000", 20000), ("500K", 512_000), ("1.5M", 1_572_864), (" 2 MiB/s ", 2 << 20), ("1g", 1 << 30)],
)  # fmt: skip
def test_rates_as_they_are_written(text: str, rate: int) -> None:
    assert parsed(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "1T", "1e3", "0.0001", "9" * 400, "1..2"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(UsageError):
        parsed(text)
