"""Former states of a shelf: which locks are kept, and which are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.client.generations import Generations
from modelshelf.package import lock as locks
from modelshelf.package.lock import Lock
from modelshelf.package.record import Dependency

EMPTY = locks.dumps(Lock())
WANTING = locks.dumps(Lock({"acme/scale": Dependency("^1.0")}))
MERGING = f"<<<<<<< ours\n{EMPTY}=======\n{WANTING}>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        pytest.param("", ["lock"], id="there was none"),
        pytest.param(EMPTY, ["found", "lock"], id="came from elsewhere"),
        pytest.param(MERGING, ["lock"], id="unfinished merge"),
        pytest.param("version = 1", ["lock"], id="no lock"),
    ],
)
def test_what_was_there_before_is_kept_where_it_is_a_lock(
    tmp_path: Path, before: str, kept: list[str]
) -> None:
    states = Generations(tmp_path)
    states.add(before, WANTING, "default", "lock")
    assert [each.done for each in states.all()] == kept


def test_the_same_state_is_kept_once(tmp_path: Path) -> None:
    states = Generations(tmp_path)
    for done in ("add acme/scale", "sync"):
        states.add(WANTING, WANTING, "default", done)
    assert [each.done for each in states.all()] == ["found"]
