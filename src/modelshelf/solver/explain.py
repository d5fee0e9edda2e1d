"""Why there is no solution, as plain sentences that end in the contradiction.

Source: https://github.com/dart-lang/pub/blob/master/doc/solver.md#error-reporting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modelshelf.solver.shorten import shortened
from modelshelf.solver.solve import ABSENT, Incompatibility, NoSolution, Requirement

most_reasons = 5
"""How many facts one sentence names."""

Name = Callable[[int, int], str]
"""Words for a package and a mask of its versions (bit 0 never set; 0 where none matches)."""


def explain(
    failure: NoSolution,
    name: Name,
    *,
    required: Callable[[Requirement], str] | None = None,
    root: str = "this shelf",
) -> tuple[str, ...]:
    """Sentences that derive the contradiction, each from facts and from sentences before it.

    `required` gives the words for what a requirement asks for, as it was typed (`acme/digits ^9`);
    without it `name` describes the versions that are allowed. It follows `requires`, `depends on`,
    `works only with` (where the other may be absent) or `works only without` (where it must be),
    and may add its reason. `root` names the one who asks.
    """
    failure = shortened(failure)
    words = _Words(failure, name, required, root)
    lines = _lines(failure.derivation)
    numbers = _numbers(lines)
    return tuple(
        words.sentence(line, lines[place - 1] if place else None, numbers)
        for place, line in enumerate(lines)
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """One sentence: `reasons`, facts or conclusions of earlier lines, give the `conclusion`."""

    conclusion: Incompatibility
    reasons: tuple[Incompatibility, ...]


def _lines(derivation: Incompatibility) -> list[_Line]:
    if isinstance(derivation.cause, Requirement):
        return [_Line(derivation, (derivation,))]
    order = _order(derivation)
    uses = Counter(cause for node in order for cause in _derived(node))
    folded = {inner for node in order for inner in _foldable(node, uses)}
    # Two links of a chain make one line; a third would be hard to read, unless it is one more alike.
    for node in reversed(order):
        if node in folded:
            folded.difference_update(each for each in _derived(node) if not _alike(node, each))
    return [_Line(node, _reasons(node, folded)) for node in order if node not in folded]


def _causes(node: Incompatibility) -> tuple[Incompatibility, ...]:
    return node.cause if isinstance(node.cause, tuple) else ()


def _derived(node: Incompatibility) -> list[Incompatibility]:
    """The causes of `node` that need a line of their own."""
    return [cause for cause in _causes(node) if isinstance(cause.cause, tuple)]


def _order(derivation: Incompatibility) -> list[Incompatibility]:
    """Everything derived, causes before conclusions, the shorter branch first; no recursion."""
    sizes: dict[Incompatibility, int] = {}
    for node in _after_causes(derivation, {}):
        sizes[node] = 1 + sum(sizes[cause] for cause in _derived(node))
    return list(_after_causes(derivation, sizes))


def _after_causes(
    derivation: Incompatibility, sizes: dict[Incompatibility, int]
) -> Iterator[Incompatibility]:
    done: set[Incompatibility] = set()
    stack = [derivation]
    while stack:
        node = stack[-1]
        waiting = [cause for cause in _derived(node) if cause not in done]
        if waiting:
            stack.append(min(waiting, key=lambda cause: sizes.get(cause, 0)))
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            yield node


def _foldable(node: Incompatibility, uses: Counter[Incompatibility]) -> list[Incompatibility]:
    """The inner link of a chain "line, fact, fact" that nothing else refers to."""
    inner = _derived(node)
    if len(inner) != 1 or uses[inner[0]] != 1:
        return []
    return inner if len(_derived(inner[0])) == 1 or _alike(node, *inner) else []


def _alike(node: Incompatibility, inner: Incompatibility) -> bool:
    """Whether all their facts are what versions of one package need of one other."""
    facts = [cause.cause for cause in (*_causes(node), *_causes(inner))]
    pairs = {(fact.package, fact.on) for fact in facts if isinstance(fact, Requirement)}
    return len(pairs) == 1


def _reasons(node: Incompatibility, folded: set[Incompatibility]) -> tuple[Incompatibility, ...]:
    """What the sentence names: conclusions of earlier lines, then facts, dependents first."""
    flat = list(_causes(node))
    while inner := next((cause for cause in flat if cause in folded), None):
        place = flat.index(inner)
        flat[place : place + 1] = _causes(inner)
    said = [reason for reason in flat if isinstance(reason.cause, tuple)]
    facts = [(reason, reason.cause) for reason in flat if isinstance(reason.cause, Requirement)]
    if len({fact.package for _, fact in facts}) == 1:
        facts.sort(key=lambda each: each[1].versions & -each[1].versions)  # the newest first
    elif len(facts) > 1 and _follows(facts[0][1], facts[1][1]):
        facts[:2] = facts[1::-1]
    return (*said, *(reason for reason, _ in facts))


def _follows(one: Requirement, two: Requirement) -> bool:
    """Whether `one` is about what `two` asks for, or `two` is what the root asks for."""
    return one.package is not None and (two.package is None or two.on == one.package)


def _numbers(lines: list[_Line]) -> dict[Incompatibility, int]:
    """Numbers for the lines that a later one refers to, other than the very next one."""
    referred = {
        reason
        for place, line in enumerate(lines)
        for reason in line.reasons
        if isinstance(reason.cause, tuple) and lines[place - 1].conclusion is not reason
    }
    order = [line.conclusion for line in lines if line.conclusion in referred]
    return {conclusion: number for number, conclusion in enumerate(order, start=1)}


@dataclass(frozen=True, slots=True)
class _Words:
    failure: NoSolution
    name: Name
    required: Callable[[Requirement], str] | None
    root: str

    def sentence(
        self, line: _Line, previous: _Line | None, numbers: dict[Incompatibility, int]
    ) -> str:
        """`Because X and Y, Z. (1)`; what the line before concluded is not said again."""
        fresh = [
            reason
            for reason in line.reasons
            if previous is None or reason is not previous.conclusion
        ]
        opening = "Because" if len(fresh) == len(line.reasons) else "And because"
        number = f" ({numbers[line.conclusion]})" if line.conclusion in numbers else ""
        return f"{opening} {_listed([*self.told(fresh, numbers)])}, {self.conclusion(line.conclusion)}.{number}"

    def told(
        self, reasons: list[Incompatibility], numbers: dict[Incompatibility, int]
    ) -> Iterator[str]:
        """The reasons one by one; who asks twice is named once."""
        asked = ""
        for reason in reasons:
            if isinstance(reason.cause, Requirement):
                asks, what = self.fact(reason.cause)
                yield what if asks == asked else f"{asks} {what}"
                asked = asks
            else:
                number = f" ({numbers[reason]})" if reason in numbers else ""
                yield self.conclusion(reason) + number

    def fact(self, fact: Requirement) -> tuple[str, str]:
        """Who asks (`a 1.0 depends on`) and for what (`b ^2`), also if nothing can satisfy it."""
        who = self.root if fact.package is None else self.name(fact.package, fact.versions)
        if fact.allowed == ABSENT:
            every = self.name(fact.on, self.universe(fact.on) ^ ABSENT)
            return f"{who} works only without", self.required(fact) if self.required else every
        what = self.required(fact) if self.required else self.name(fact.on, fact.allowed & ~ABSENT)
        if fact.allowed & ABSENT:
            return f"{who} works only with", what
        verb = "requires" if fact.package is None else "depends on"
        return f"{who} {verb}", what if fact.allowed else f"{what} (there is no such release)"

    def universe(self, package: int) -> int:
        return self.failure.universes[package]

    def conclusion(self, node: Incompatibility) -> str:
        """What an incompatibility forbids, said as what follows from what."""
        if not node.terms:
            return "the requirements cannot all be met"
        given = [self.name(package, term) for package, term in _present(node)]
        needed = [
            self.name(package, self.universe(package) ^ term)
            for package, term in node.terms.items()
            if term & ABSENT
        ]
        if not needed:
            return _impossible(given)
        if not given:
            return f"{' or '.join(needed)} is required"
        verb = "requires" if len(given) == 1 else "together require"
        return f"{' and '.join(given)} {verb} {' or '.join(needed)}"


def _listed(reasons: list[str]) -> str:
    """`x, y and z`; of very many the first ones."""
    if len(reasons) > most_reasons:
        left = len(reasons) - most_reasons + 1
        reasons = [*reasons[: most_reasons - 1], f"{left} more like these"]
    *first, last = reasons
    return f"{', '.join(first)} and {last}" if first else last


def _present(node: Incompatibility) -> list[tuple[int, int]]:
    return [(package, term) for package, term in node.terms.items() if not term & ABSENT]


def _impossible(given: list[str]) -> str:
    if len(given) == 1:
        return f"{given[0]} cannot be used"
    return f"{' and '.join(given)} cannot be used together"
