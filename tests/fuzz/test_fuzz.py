"""A short campaign over every reader; `make fuzz` is the long one."""

from __future__ import annotations

import pytest

from modelshelf.formats import formats
from tests.fuzz.campaign import campaign
from tests.fuzz.seeds import seeds

COUNT = 300


def test_every_reader_has_seeds() -> None:
    assert seeds().keys() >= formats().keys()


@pytest.mark.parametrize("name", formats())
def test_mutated_files_are_read_or_refused(name: str) -> None:
    told = campaign(name, "suite", COUNT)
    assert told.bad == []
    assert sum(told.totals.values()) == COUNT
