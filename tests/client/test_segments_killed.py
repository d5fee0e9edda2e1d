"""A client killed anywhere in a download: the next one goes on, and hardly a byte comes twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import fetch_and_die
from tests.client.depot import Depot, cuts, noise, open_depot, weights

MIB = 1 << 20
ROUNDS = 16
MODEL_BYTES = 64 << 20
"""What is lost does not depend on the size: of a small model of this size it is 2 % at most."""


@pytest.fixture
def depot() -> Iterator[Depot]:
    with open_depot() as depot:
        yield depot


def rounds(depot: Depot, folder: Path, count: int) -> Iterator[tuple[bool, int]]:
    """Whether it was killed, and how many bytes more came than in an undisturbed run."""
    content = weights(1, 14 * MIB) + noise(2, 14 * MIB)
    file = depot.put(content, [*cuts(20 * MIB, 10 * MIB), *cuts(28 * MIB, 40_000)[530:]])
    script = [sys.executable, fetch_and_die.__file__]
    command = [*script, depot.url, file.sha256, str(file.size), str(folder), "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        answered(child)
        undisturbed = depot.delivered
        for _ in range(count):
            depot.delivered = 0
            told = answered(child)
            assert (told["whole"], told["left"]) == (True, [])
            yield bool(told["killed"]), depot.delivered - undisturbed
        assert child.stdin is not None
        child.stdin.close()


def answered(child: subprocess.Popen[str]) -> dict[str, object]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    told: dict[str, object] = json.loads(child.stdout.readline())
    return told


@pytest.mark.no_cover
def test_killed_at_random_moments(depot: Depot, tmp_path: Path) -> None:
    found = list(rounds(depot, tmp_path / "store", ROUNDS))
    again = [count for killed, count in found if killed]
    assert len(again) > ROUNDS // 2
    assert max(again) <= 0.02 * MODEL_BYTES
