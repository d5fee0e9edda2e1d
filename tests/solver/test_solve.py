"""The solver agrees with exhaustive search, prefers what it promises to prefer, proves its noes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelshelf.errors import Refused, Unsatisfiable
from modelshelf.solver.solve import NoSolution, solve
from tests.solver.numbers import Needs, Shelf, check_proof, every_choice, is_solution


def reachable(shelf: Shelf, root: Needs, choice: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    waiting = [package for package, mask in root.items() if not mask & 1]
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            needs = shelf.packages[package][choice[package] - 1]
            waiting += [on for on, mask in needs.items() if not mask & 1]
    return found


def agree(shelf: Shelf, root: Needs) -> None:
    possible = any(is_solution(shelf, root, choice) for choice in every_choice(shelf))
    try:
        choice = solve(shelf, root)
    except NoSolution as failure:
        assert not possible
        check_proof(shelf, root, failure)
    else:
        assert is_solution(shelf, root, choice)
        assert set(choice) == reachable(shelf, root, choice)


def random_shelf(chance: random.Random) -> tuple[Shelf, Needs]:
    """Up to 5 packages of up to 3 versions; one number more than there are packages is missing."""
    size = chance.randint(1, 5)
    density = chance.choice((0.8, 1.4, 2.0))

    def needs() -> Needs:
        wanted = min(size + 1, int(chance.expovariate(1 / density)))
        return {on: chance.getrandbits(4) for on in chance.sample(range(size), min(wanted, size))}

    packages: list[list[Needs]] = [
        [needs() for _ in range(chance.randint(1, 3))] for _ in range(size)
    ]
    for versions in packages:
        if chance.random() < 0.05:
            versions[0][size] = 0b1110
    root = {on: chance.getrandbits(4) & 0b1110 for on in range(min(size, chance.randint(1, 3)))}
    locked = {chance.randrange(size): chance.getrandbits(4)}
    return Shelf(*packages, locked=locked), root


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_exhaustive_search(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        agree(*random_shelf(chance))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    packages=st.lists(
        st.lists(st.dictionaries(st.integers(0, 4), st.integers(0, 15), max_size=3), max_size=3),
        min_size=1,
        max_size=4,
    ),
    root=st.dictionaries(st.integers(0, 4), st.integers(0, 15), max_size=3),
)
def test_agrees_whatever_is_asked(packages: list[list[Needs]], root: Needs) -> None:
    agree(Shelf(*packages), root)


ONE, TWO, THREE, ANY = 0b0010, 0b0100, 0b1000, 0b1110


@pytest.mark.parametrize(
    ("shelf", "root", "choice"),
    [
        pytest.param(Shelf(), {}, {}, id="nothing asked"),
        pytest.param(Shelf([{}, {}]), {0: ANY}, {0: 1}, id="newest"),
        pytest.param(Shelf([{}, {}], locked={0: TWO}), {0: ANY}, {0: 2}, id="locked"),
        pytest.param(Shelf([{}, {}], locked={0: TWO}), {0: ONE}, {0: 1}, id="lock outgrown"),
        pytest.param(Shelf([{1: TWO}, {}], [{}, {}]), {0: ANY}, {0: 1, 1: 2}, id="dependency"),
        pytest.param(
            Shelf([{1: ONE}, {}], [{}, {}], locked={1: TWO}),
            {0: ANY, 1: ANY},
            {0: 2, 1: 2},
            id="the new bends to the locked",
        ),
        pytest.param(Shelf([{1: ANY}], [{0: ANY}]), {0: ANY}, {0: 1, 1: 1}, id="cycle"),
        pytest.param(Shelf([{0: TWO}, {0: TWO}]), {0: ANY}, {0: 2}, id="depends on itself"),
        pytest.param(Shelf([{7: ANY}, {}]), {0: ANY}, {0: 2}, id="missing package avoided"),
        pytest.param(Shelf([{7: 1}, {}]), {0: ANY}, {0: 1}, id="absence asked, and missing"),
        pytest.param(
            Shelf([{}, {}], [{0: TWO | 1}]), {0: ANY, 1: ANY}, {0: 2, 1: 1}, id="constraint"
        ),
        pytest.param(Shelf([{}], [{0: TWO | 1}]), {1: ANY}, {1: 1}, id="constraint alone"),
    ],
)
def test_chooses(shelf: Shelf, root: Needs, choice: Needs) -> None:
    assert solve(shelf, root) == choice


@pytest.mark.parametrize(
    ("shelf", "root"),
    [
        pytest.param(Shelf(), {0: ANY}, id="missing package"),
        pytest.param(Shelf([{}]), {0: 0}, id="no version fits"),
        pytest.param(Shelf([{}]), {0: THREE}, id="version out of range"),
        pytest.param(Shelf([{7: ANY}]), {0: ANY}, id="missing dependency"),
        pytest.param(Shelf([{0: TWO}, {0: ONE}]), {0: ANY}, id="denies itself"),
        pytest.param(Shelf([{1: ONE}], [{0: 1}]), {0: ANY}, id="cycle that contradicts"),
    ],
)
def test_proves_that_nothing_fits(shelf: Shelf, root: Needs) -> None:
    with pytest.raises(NoSolution) as caught:
        solve(shelf, root)
    check_proof(shelf, root, caught.value)
    assert isinstance(caught.value, Unsatisfiable)


def test_asks_only_about_versions_it_chooses() -> None:
    shelf = Shelf([{1: ANY}, {1: TWO}, {}], [{}, {}])
    solve(shelf, {0: ANY})
    assert shelf.asked == [(0, 1), (1, 1)]


def large(packages: int, versions: int, each: int) -> Shelf:
    """Version i of a package needs versions about as old, of packages chosen at random."""
    chance = random.Random(1)

    def needs(index: int) -> Needs:
        around = sum(1 << near for near in range(index - 3, index + 4) if 1 <= near <= versions)
        return dict.fromkeys(chance.sample(range(packages), each), around)

    return Shelf(*([needs(index) for index in range(1, versions + 1)] for _ in range(packages)))


def test_solves_a_thousand_packages() -> None:
    shelf = large(1000, 20, 5)
    root = dict.fromkeys(range(5), (2 << 20) - 2)
    choice = solve(shelf, root)
    assert is_solution(shelf, root, choice)
    assert len(choice) > 900


def test_a_thousand_packages_without_solution() -> None:
    shelf = large(1000, 20, 5)
    oldest, newest = 1 << 20, 1 << 1
    for needs in shelf.packages[0]:
        needs[1] = oldest
    with pytest.raises(NoSolution):
        solve(shelf, {0: (2 << 20) - 2, 1: newest | 1 << 2})


def test_gives_up_on_pigeons_without_holes() -> None:
    """Ten packages need ten different places of nine: every proof by resolution is enormous."""
    pigeons, holes = 10, 9
    needs: list[list[Needs]] = [[] for _ in range(pigeons)]
    for pigeon, hole in product(range(pigeons), range(1, holes + 1)):
        elsewhere = (2 << holes) - 1 & ~(1 << hole)
        needs[pigeon].append({other: elsewhere for other in range(pigeons) if other != pigeon})
    with pytest.raises(Refused, match="too long"):
        solve(Shelf(*needs), dict.fromkeys(range(pigeons), (2 << holes) - 2), most_steps=100_000)
