"""The command line inside this process: a start of Python for each command would take too long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.store.disk import DiskStore
from tests.client.depot import Depot, open_depot
from tests.publishing import release

__all__ = ["release"]


@pytest.fixture
def depot() -> Iterator[Depot]:
    """A registry that may be faulty: it serves what a test puts into it."""
    with open_depot() as depot:
        yield depot


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    """An empty store."""
    return DiskStore(tmp_path / "store", fsync=False)
