"""The map of segments: what it knows, what it forgets, and that it is only a hint."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import blake3
import pytest

from modelshelf.store import recipes
from modelshelf.store.disk import DiskStore
from modelshelf.store.local import NAME, SegmentMap
from modelshelf.store.recipe import dumps
from tests.store.recipes import recipe_of, segment

ONE, TWO, THREE = (segment(number) for number in range(3))


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store", fsync=False)


def put(store: DiskStore, *segments: bytes) -> str:
    """A file of these segments, known to the map."""
    content = b"".join(segments)
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(content, sha256)
    recipes.keep(store.root, sha256, dumps(recipe_of(*segments)))
    SegmentMap(store).add(sha256, recipe_of(*segments))
    return sha256


def found(store: DiskStore, *segments: bytes) -> list[list[bytes]]:
    """What lies at the places of each segment."""
    ids = [blake3.blake3(each).hexdigest() for each in segments]
    places = SegmentMap(store).find(ids)
    return [
        [p.path.read_bytes()[p.start : p.start + p.size] for p in places.get(each, [])]
        for each in ids
    ]


def test_a_segment_lies_in_several_files(store: DiskStore) -> None:
    put(store, ONE, TWO)
    put(store, TWO, THREE, TWO)
    assert found(store, ONE, TWO, THREE, segment(9)) == [[ONE], [TWO, TWO], [THREE], []]


def test_more_segments_than_one_question_holds(store: DiskStore) -> None:
    many = [segment(number, 64) for number in range(1200)]
    put(store, *many)
    assert found(store, *many) == [[each] for each in many]


def test_files_that_are_gone_are_forgotten(store: DiskStore) -> None:
    first = put(store, ONE, TWO)
    put(store, TWO, THREE)
    store.delete(first)
    assert found(store, ONE, TWO) == [[], [TWO]]
    with sqlite3.connect(store.root / NAME) as connection:
        assert connection.execute("SELECT count(*) FROM file").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM segment").fetchone() == (2,)
    connection.close()


def test_shared_stores_are_read(store: DiskStore, tmp_path: Path) -> None:
    put(store, ONE)
    folder = store.root / NAME
    before = folder.read_bytes()
    for each in store.root.rglob("*"):
        each.chmod(0o555 if each.is_dir() else 0o444)
    mine = DiskStore(tmp_path / "mine", shared=[store.root, tmp_path / "missing"])
    assert found(mine, ONE, TWO) == [[ONE], []]
    assert folder.read_bytes() == before
    for each in store.root.rglob("*"):
        each.chmod(0o755)


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def holes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200:] = os.urandom(len(content) - 200)
    path.write_bytes(content)


def other_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE file")
    connection.close()


def another_version(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE segment (id INTEGER)")
        connection.execute("PRAGMA user_version = 7")
    connection.close()


@pytest.mark.parametrize("harm", [garbage, holes, other_tables, another_version, Path.unlink])
def test_a_damaged_map_is_made_anew_from_the_recipes(
    store: DiskStore, harm: Callable[[Path], None]
) -> None:
    put(store, ONE, TWO)
    harm(store.root / NAME)
    assert found(store, ONE, TWO) == [[ONE], [TWO]]


def test_a_map_that_cannot_be_is_none(store: DiskStore) -> None:
    (store.root / NAME).mkdir()
    put(store, ONE)
    assert found(store, ONE) == [[]]


def test_names_out_of_the_store_are_passed_over(store: DiskStore) -> None:
    put(store, ONE)
    with sqlite3.connect(store.root / NAME) as connection:
        connection.execute("UPDATE file SET sha256 = '../../../etc/passwd'")
    connection.close()
    assert found(store, ONE) == [[]]


def test_several_processes_fill_it_at_once(store: DiskStore) -> None:
    code = """
import sys
from pathlib import Path
from modelshelf.store.disk import DiskStore
from tests.store.test_local import put
from tests.store.recipes import segment
for number in range(15):
    put(DiskStore(Path(sys.argv[1]), fsync=False), segment(int(sys.argv[2]) + number))
"""
    command = [sys.executable, "-c", code, str(store.root)]
    running = [subprocess.Popen([*command, str(first)]) for first in (0, 100)]
    assert [each.wait(60) for each in running] == [0, 0]
    numbers = [first + number for first in (0, 100) for number in range(15)]
    assert found(store, *map(segment, numbers)) == [[segment(number)] for number in numbers]
