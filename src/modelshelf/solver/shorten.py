"""A shorter proof: facts that it can do without are left out, and the rest is proved anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelshelf.errors import Refused
from modelshelf.solver.solve import Incompatibility, NoSolution, Requirement, solve

most_facts = 100
"""Longer proofs are left as they are: nobody reads them whole."""
most_steps = 20_000


def shortened(failure: NoSolution) -> NoSolution:
    """The same contradiction from as few of its facts as suffice (none of them can be spared)."""
    facts = _facts(failure.derivation)
    if len(facts) > most_facts:
        return failure
    shortest = failure
    for fact in facts:
        used = _facts(shortest.derivation)
        left = [each for each in used if not _same(each, fact)]
        if len(left) < len(used):
            shortest = _contradiction(left, failure.universes) or shortest
    return min(failure, shortest, key=lambda each: len(_nodes(each.derivation)))


def _same(one: Requirement, two: Requirement) -> bool:
    """Whether both say that a package needs the same of another."""
    return (one.package, one.on, one.allowed) == (two.package, two.on, two.allowed)


def _facts(derivation: Incompatibility) -> list[Requirement]:
    """The facts of a proof, the last used first."""
    return [node.cause for node in _nodes(derivation) if isinstance(node.cause, Requirement)]


def _nodes(derivation: Incompatibility) -> list[Incompatibility]:
    found: dict[Incompatibility, None] = {}
    waiting = [derivation]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting += node.cause if isinstance(node.cause, tuple) else ()
    return list(found)


def _contradiction(facts: Iterable[Requirement], universes: Mapping[int, int]) -> NoSolution | None:
    """The proof that `facts` alone contradict each other; None where they do not, or not soon."""
    root: dict[int, int] = {}
    stated = _Stated(universes)
    for fact in facts:
        if fact.package is None:
            root[fact.on] = fact.allowed
        else:
            stated.facts.setdefault(fact.package, []).append(fact)
    try:
        solve(stated, root, most_steps=most_steps)
    except NoSolution as failure:
        return failure
    except Refused:
        return None
    return None


class _Stated:
    """`solve.Provider` of some facts: what they do not say is free."""

    def __init__(self, universes: Mapping[int, int]) -> None:
        self._universes = universes
        self.facts: dict[int, list[Requirement]] = {}

    def count(self, package: int) -> int:
        """How many versions the package has."""
        return self._universes[package].bit_length() - 1

    def dependencies(self, package: int, index: int) -> Mapping[int, int]:
        """What the facts say of version `index`."""
        facts = self.facts.get(package, ())
        return {fact.on: fact.allowed for fact in facts if fact.versions >> index & 1}

    def preferred(self, package: int) -> int:  # noqa: ARG002 - the solver asks it of every provider
        """No version before the newest."""
        return 0
