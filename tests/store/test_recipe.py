"""Recipes: the same from the wire, and no forged one costs more than it is worth."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import IntegrityError
from modelshelf.store.recipe import (
    DELTA,
    LONGEST_RECIPE_BYTES,
    MOST_PARENTS,
    MOST_RUNS,
    SEGMENT_BYTES,
    Cut,
    Parent,
    Recipe,
    Run,
    dumps,
    loads,
    most_segments,
    pieces,
)

FILE = "ab" * 32


def recipe(*sizes: int, parents: tuple[Parent, ...] = ()) -> Recipe:
    return Recipe(sum(sizes), bytes(32 * len(sizes)), sizes, sizes, parents)


def pack(value: object) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=True).compress(msgspec.msgpack.encode(value))


@given(st.lists(st.integers(1, SEGMENT_BYTES), max_size=20), st.data())
def test_what_was_written_is_read(sizes: list[int], data: st.DataObject) -> None:
    saved = tuple(data.draw(st.none() | st.integers(0, SEGMENT_BYTES)) for _ in sizes)
    runs = (Run(0, 3, sizes[0]),) if sizes else ()
    made = recipe(*sizes, parents=(Parent(FILE, DELTA, runs, saved),))
    assert loads(dumps(made), made.size) == made


@given(st.integers(0, 3 * SEGMENT_BYTES), st.lists(st.tuples(*[st.integers(0, 1 << 24)] * 2)))
def test_every_byte_is_in_exactly_one_piece(size: int, places: list[tuple[int, int]]) -> None:
    found = pieces(size, [Cut(start, stop, 4) for start, stop in places])
    assert sum(piece.size for piece in found) == size
    assert [piece.start for piece in found] == [
        sum(each.size for each in found[:number]) for number in range(len(found))
    ]
    assert all(0 < piece.size <= SEGMENT_BYTES for piece in found)


@pytest.mark.parametrize(
    "forged",
    [
        msgspec.structs.replace(recipe(10, 20), size=31),
        msgspec.structs.replace(recipe(10, 21), size=30),
        msgspec.structs.replace(recipe(10, 20), sizes=(30,)),
        msgspec.structs.replace(recipe(10, 20), ids=bytes(63)),
        msgspec.structs.replace(recipe(10, 20), stored=(10,)),
        msgspec.structs.replace(recipe(10, 20), stored=(10, 0)),
        msgspec.structs.replace(recipe(10, 20), stored=(10, SEGMENT_BYTES + 65)),
        recipe(30, 0),
        recipe(40, -10),
        recipe(10, 20, parents=(Parent("../etc", DELTA, (), (None, None)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (), (None,)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (), (None, 1 << 40)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (Run(0, 0, 31),), (None, None)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (Run(0, -1, 3),), (None, None)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (Run(0, 0, 9), Run(8, 9, 9)), (1, 1)),)),
        recipe(10, 20, parents=(Parent(FILE, DELTA, (), (None, None)),) * (MOST_PARENTS + 1)),
        recipe(*(1,) * (most_segments(30) + 1)),
        [30, b"", "text", [], []],
        {"size": 30},
        30,
    ],
)
def test_a_forged_recipe_is_refused(forged: object) -> None:
    with pytest.raises(IntegrityError):
        loads(pack(forged), 30)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no frame",
        dumps(recipe(10, 20))[:-1],
        dumps(recipe(10, 20)) + b"x",
        zstandard.ZstdCompressor(write_content_size=False).compress(
            msgspec.msgpack.encode(recipe(10, 20))
        ),
    ],
)
def test_what_is_no_frame_is_refused(body: bytes) -> None:
    with pytest.raises(IntegrityError):
        loads(body, 30)


def listed(count: int, each: bytes) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big") + each * count


def sizes(count: int) -> bytes:
    return b"\x95\x01\xc4\x00" + listed(count, b"\x01") + b"\x90\x90"


def parents(count: int) -> bytes:
    return b"\x95\x01\xc4\x00\x90\x90" + listed(count // 5, b"\x94\xa0\xa0\x90\x90")


def runs(count: int) -> bytes:
    several = listed(count // 4, b"\x93\x01\x01\x01")
    return b"\x95\x01\xc4\x00\x90\x90\x91\x94\xa0\xa0" + several + b"\x90"


def nothing(count: int) -> bytes:
    return bytes(8 * count)


def nested(count: int) -> bytes:
    return b"\x95\x01\xc4\x00" + b"\x91" * (count // 100)


@pytest.mark.parametrize("bomb", [sizes, parents, runs, nothing, nested])
def test_a_bomb_takes_no_more_room_than_a_recipe_may(bomb: Callable[[int], bytes]) -> None:
    body = zstandard.ZstdCompressor(level=1).compress(bomb(LONGEST_RECIPE_BYTES - 64))
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            loads(body, 1 << 36)
        assert tracemalloc.get_traced_memory()[1] < 2 * LONGEST_RECIPE_BYTES
    finally:
        tracemalloc.stop()


def test_all_parents_together_have_no_more_runs_than_that() -> None:
    many = tuple(Run(at, 0, 1) for at in range(MOST_RUNS))
    parent = Parent(FILE, DELTA, many, (None,))
    assert (
        loads(dumps(recipe(MOST_RUNS, parents=(parent,) * 2)), MOST_RUNS).parents == (parent,) * 2
    )
    with pytest.raises(IntegrityError):
        loads(dumps(recipe(MOST_RUNS, parents=(parent,) * 3)), MOST_RUNS)
