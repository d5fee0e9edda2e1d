"""Proofs as sentences: short, in order, with numbers where an earlier line is meant."""

from __future__ import annotations

import random
import re

import pytest

from modelshelf.solver.explain import explain
from modelshelf.solver.solve import NoSolution, Requirement, solve

Needs = dict[int, int]
Packages = list[list[Needs]]

NEW, OLD, ANY = 0b010, 0b100, 0b110


class Letters:
    """Packages a, b, c ...; the newest of two versions is 2.0, the other 1.0."""

    def __init__(self, packages: Packages) -> None:
        self.packages = packages

    def count(self, package: int) -> int:
        return len(self.packages[package]) if package < len(self.packages) else 0

    def dependencies(self, package: int, index: int) -> Needs:
        return self.packages[package][index - 1]

    def preferred(self, package: int) -> int:
        return 0

    def name(self, package: int, mask: int) -> str:
        count = self.count(package)
        versions = [f"{count + 1 - i}.0" for i in range(count, 0, -1) if mask >> i & 1]
        letter = chr(ord("a") + package)
        return letter if len(versions) in {0, count} else f"{letter} {' or '.join(versions)}"


def failure(packages: Packages, root: Needs) -> NoSolution:
    with pytest.raises(NoSolution) as caught:
        solve(Letters(packages), root)
    return caught.value


@pytest.mark.parametrize(
    ("packages", "root", "sentences"),
    [
        pytest.param(
            [],
            {0: NEW},
            "Because this shelf requires a (there is no such release), "
            "the requirements cannot all be met.",
            id="missing package",
        ),
        pytest.param(
            [[{1: NEW}]],
            {0: NEW},
            "Because this shelf requires a and a depends on b (there is no such release), "
            "the requirements cannot all be met.",
            id="missing dependency",
        ),
        pytest.param(
            [[{1: NEW}, {1: NEW}], [{}, {}]],
            {0: ANY, 1: OLD},
            """
            Because this shelf requires a and a depends on b 2.0, b 2.0 is required.
            And because this shelf requires b 1.0, the requirements cannot all be met.
            """,
            id="versions that ask the same are one",
        ),
        pytest.param(
            [[{1: OLD}], [{2: NEW}, {2: OLD}], [{}, {}]],
            {0: NEW, 2: NEW},
            """
            Because a depends on b 1.0 and b 1.0 depends on c 1.0, a requires c 1.0.
            And because this shelf requires a and c 2.0, the requirements cannot all be met.
            """,
            id="chain, folded",
        ),
        pytest.param(
            [[{3: NEW, 4: OLD}, {1: NEW, 2: OLD}], [{2: NEW}], [{}, {}], [{4: NEW}], [{}, {}]],
            {0: ANY},
            """
            Because a 1.0 depends on b and b depends on c 2.0, a 1.0 requires c 2.0.
            And because a 1.0 depends on c 1.0, a 1.0 cannot be used. (1)
            Because a 2.0 depends on d and d depends on e 2.0, a 2.0 requires e 2.0.
            And because a 2.0 depends on e 1.0, a 2.0 cannot be used.
            And because a 1.0 cannot be used (1) and this shelf requires a, the requirements cannot all be met.
            """,
            id="branches, numbered",
        ),
        pytest.param(
            [[{1: ANY, 2: ANY}], [{3: 4}, {3: 2}], [{3: 8}, {3: 8}], [{}, {}, {}]],
            {0: NEW},
            """
            Because b 2.0 depends on d 2.0 and b 1.0 depends on d 3.0, b requires d 2.0 or 3.0.
            And because c depends on d 1.0 and a depends on b, c and a cannot be used together.
            And because this shelf requires a and a depends on c, the requirements cannot all be met.
            """,
            id="alternatives",
        ),
        pytest.param(
            [[{2: OLD}], [{2: NEW, 3: NEW}, {2: NEW, 3: OLD}], [{}, {}], [{}, {}]],
            {0: NEW, 1: ANY, 3: NEW},
            """
            Because a depends on c 1.0 and b depends on c 2.0, a and b cannot be used together.
            And because this shelf requires b and a, the requirements cannot all be met.
            """,
            id="nothing that it can do without",
        ),
        pytest.param(
            [[{1: 1 << i} for i in range(1, 9)], [{} for _ in range(9)]],
            {0: 0b111111110, 1: 1 << 9},
            """
            Because a 8.0 depends on b 9.0, a 7.0 depends on b 8.0, a 6.0 depends on b 7.0, \
a 5.0 depends on b 6.0 and 4 more like these, \
a requires b 2.0 or 3.0 or 4.0 or 5.0 or 6.0 or 7.0 or 8.0 or 9.0.
            And because this shelf requires a and b 1.0, the requirements cannot all be met.
            """,
            id="versions alike in one sentence",
        ),
        pytest.param(
            [[{0: OLD}, {0: NEW}]],
            {0: ANY},
            """
            Because a 2.0 depends on a 1.0 and a 1.0 depends on a 2.0, a cannot be used.
            And because this shelf requires a, the requirements cannot all be met.
            """,
            id="denies itself",
        ),
        pytest.param(
            [[{}, {}], [{0: OLD | 1}]],
            {0: NEW, 1: NEW},
            """
            Because this shelf requires a 2.0 and b works only with a 1.0, b cannot be used.
            And because this shelf requires b, the requirements cannot all be met.
            """,
            id="constraint",
        ),
        pytest.param(
            [[{}], [{0: 1}]],
            {0: NEW, 1: NEW},
            """
            Because this shelf requires a and b works only without a, b cannot be used.
            And because this shelf requires b, the requirements cannot all be met.
            """,
            id="refuses another",
        ),
    ],
)
def test_explains(packages: Packages, root: Needs, sentences: str) -> None:
    told = explain(failure(packages, root), Letters(packages).name)
    assert list(told) == [line.strip() for line in sentences.strip().splitlines()]


def test_says_requirements_as_they_were_typed() -> None:
    def required(fact: Requirement) -> str:
        return f"{fact.on} ^9"

    (told,) = explain(failure([[{}]], {0: 0}), lambda *_: "?", required=required, root="I")
    assert told.startswith("Because I requires 0 ^9 (there is no such release), the requirements")


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        pytest.param(OLD | 1, "b works only with a 1 (numpy<2)", id="with some"),
        pytest.param(1, "b works only without a 1 (numpy<2)", id="without any"),
    ],
)
def test_says_the_reason_of_a_constraint(allowed: int, said: str) -> None:
    def required(fact: Requirement) -> str:
        return "a" if fact.package is None else "a 1 (numpy<2)"

    packages: Packages = [[{}, {}], [{0: allowed}]]
    told = explain(failure(packages, {0: NEW, 1: NEW}), Letters(packages).name, required=required)
    assert said in told[0]


SEEDS = (9, 13, 14, 15, 16, 20, 22, 25)  # those without a solution


def contradiction(seed: int) -> tuple[Packages, NoSolution]:
    """Many packages with random needs, so that the proof branches and is long."""
    chance = random.Random(seed)
    size = 30

    def needs() -> Needs:
        some = chance.sample(range(size), 4)
        return {on: (chance.getrandbits(5) | chance.getrandbits(5)) & 0b11110 for on in some}

    packages: Packages = [[needs() for _ in range(4)] for _ in range(size)]
    return packages, failure(packages, {0: 0b11110, 1: 0b11110})


@pytest.mark.parametrize("seed", SEEDS)
def test_refers_only_to_lines_above(seed: int) -> None:
    packages, found = contradiction(seed)
    concluded: dict[str, str] = {}
    for line in explain(found, Letters(packages).name):
        body, _, number = line.partition(". (")
        for reference in re.findall(r"\((\d+)\)", body):
            assert f"{concluded[reference]} ({reference})" in body
        if number:
            concluded[number.rstrip(")")] = body.rpartition(", ")[2]
    assert line.endswith("the requirements cannot all be met.")
    assert list(concluded) == [str(number) for number in range(1, len(concluded) + 1)]
    assert len(concluded) > 10


def test_a_proof_of_a_thousand_steps_needs_no_recursion() -> None:
    size = 3000
    chain: Packages = [[{place + 1: NEW}] for place in range(size)]
    told = explain(failure(chain, {0: NEW}), lambda package, _: f"p{package}")
    assert len(told) > 1000
    assert told[-1].endswith("the requirements cannot all be met.")
