"""Raw or encoded: whichever is there sooner."""

from __future__ import annotations

import pytest

from modelshelf.client.pace import Pace

MIB = 1 << 20


@pytest.mark.parametrize(
    ("link", "decoding", "stored", "raw"),
    [(50, 400, 2, False), (200, 400, 2, False), (300, 400, 2, True), (50, 400, 3, False)],
)
def test_the_faster_way_is_taken(link: float, decoding: float, stored: int, raw: bool) -> None:
    pace = Pace()
    pace.received(10 * MIB, 10 / link)
    pace.decoded(10 * MIB, 10 / decoding)
    sooner = 4 / link < stored / link + 4 / decoding
    assert pace.prefers_raw(stored * MIB, 4 * MIB + 1) == raw == sooner


def test_nothing_is_concluded_from_little() -> None:
    pace = Pace()
    pace.received(MIB, 1e-9)
    assert not pace.prefers_raw(1, 2)
    pace.received(10 * MIB, 1e-9)
    assert not pace.prefers_raw(1, 2)
    pace.decoded(10 * MIB, 1)
    assert pace.prefers_raw(1, 2)
