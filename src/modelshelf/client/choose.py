"""Choosing among candidates: which are best, and why each other one fell out. Pure: no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from modelshelf.client.candidates import Candidate, known_names
from modelshelf.errors import NotFound, UsageError
from modelshelf.package.condition import Condition, Value, missed
from modelshelf.package.pareto import front
from modelshelf.package.vocabularies import nearest, vocabulary

COSTS = ("bytes", "macs", "peak_memory")
"""What is better small, whoever asks."""
WORDS = (
    "package", "variant", "format", "context", "precision", "license", "algorithm", "dataset",
    *COSTS,
)  # fmt: skip
"""What a condition may be about even where no candidate says it."""
most_objectives = 6
_VOCABULARIES = {"format": "formats", "context": "contexts", "precision": "precisions"}

Goal = Literal["minimize", "maximize"]


class Objective(msgspec.Struct, frozen=True):
    """What should be small or large."""

    name: str
    goal: Goal

    def of(self, candidate: Candidate) -> float | None:
        """The number that counts: of several (one a dataset) the worst; None where none is known."""
        return candidate.number(self.name, least=self.goal == "maximize")


class Best(msgspec.Struct, frozen=True):
    """A candidate that no other betters, with the value of each objective."""

    candidate: Candidate
    values: tuple[float, ...]


class Dominated(msgspec.Struct, frozen=True):
    """A candidate that meets the conditions; `by` is no worse in any objective, better in one."""

    candidate: Candidate
    values: tuple[float, ...]
    by: Candidate
    by_values: tuple[float, ...]

    @property
    def gap(self) -> float:
        """How far it is from the other one, 0 to 1 an objective."""
        return sum(_gap(*pair) for pair in zip(self.values, self.by_values, strict=True))


class Silent(msgspec.Struct, frozen=True):
    """A candidate that meets the conditions, and says nothing of some objectives."""

    candidate: Candidate
    lacks: tuple[str, ...]


class Miss(msgspec.Struct, frozen=True):
    """A condition that does not hold, and what is known instead (None: nothing)."""

    name: str
    operator: str
    condition: str
    found: Value | None
    gap: float


class Missed(msgspec.Struct, frozen=True):
    """A candidate that misses conditions."""

    candidate: Candidate
    misses: tuple[Miss, ...]

    @property
    def gap(self) -> float:
        """How far it is from meeting them, 0 to 1 a condition."""
        return sum(miss.gap for miss in self.misses)


class Relaxed(msgspec.Struct, frozen=True):
    """The condition without which the most would do, how many, and the nearest value of theirs."""

    condition: str
    candidates: int
    nearest: Value | None


class Family(msgspec.Struct, frozen=True):
    """Candidates that share algorithm and datasets (the task they share all): how many do."""

    algorithm: str | None
    datasets: tuple[str, ...]
    packages: int
    candidates: int
    fitting: int
    best: int


class Decision(msgspec.Struct, frozen=True):
    """`best` by the first objective, the others by how near they are; `relax` where none fits."""

    objectives: tuple[Objective, ...]
    best: tuple[Best, ...]
    dominated: tuple[Dominated, ...]
    silent: tuple[Silent, ...]
    missed: tuple[Missed, ...]
    relax: Relaxed | None = None
    notes: tuple[str, ...] = ()


def decide(
    candidates: Sequence[Candidate],
    conditions: Sequence[Condition],
    named: Sequence[Objective] = (),
) -> Decision:
    """The Pareto set of those that meet the conditions, in the objectives named.

    Where none is named they follow from the conditions: see `objectives`. Raises UsageError and
    NotFound for names and words that nobody knows.
    """
    _require_known(candidates, conditions, named)
    fitting: list[Candidate] = []
    out: list[Missed] = []
    for candidate in candidates:
        broken = missed(conditions, candidate.known)
        if broken:
            out.append(Missed(candidate, tuple(_miss(each, candidate) for each in broken)))
        else:
            fitting.append(candidate)
    chosen = tuple(named) or objectives(conditions, fitting or candidates)
    best, dominated, silent = _ranked(fitting, chosen)
    return Decision(
        chosen,
        tuple(best),
        tuple(sorted(dominated, key=lambda each: each.gap)),
        tuple(silent),
        tuple(sorted(out, key=lambda each: each.gap)),
        None if fitting else _relaxed(out),
        tuple(_notes(chosen, fitting)),
    )


def objectives(
    conditions: Sequence[Condition], candidates: Sequence[Candidate]
) -> tuple[Objective, ...]:
    """What is worth little or much, from what was asked for.

    Costs and metrics with bounds are, in the order of the conditions; then the metric that most
    candidates state and their bytes, where no metric and no cost is among them.
    """
    better_low = _directions(candidates)
    bounded = [each for each in conditions if each.operator not in ("=", "!=")]
    goals: dict[str, Goal] = {}
    for condition in bounded:
        if condition.name in COSTS:
            goals[condition.name] = "minimize"
        elif condition.name in better_low:
            less = better_low[condition.name] or condition.operator in ("<", "<=")
            goals.setdefault(condition.name, "minimize" if less else "maximize")
    if better_low.keys().isdisjoint(goals):
        stated = Counter(name for each in candidates for name in each.metrics if "@" not in name)
        for name, _ in stated.most_common(1):
            first: dict[str, Goal] = {name: "minimize" if better_low[name] else "maximize"}
            goals = first | goals
    if not set(COSTS) & goals.keys():
        goals["bytes"] = "minimize"
    return tuple(Objective(name, goal) for name, goal in goals.items())[:most_objectives]


def reasons(decision: Decision) -> dict[str, int]:
    """Why candidates fell out → how many; one that misses several conditions counts for each."""
    counts = Counter(
        f"nothing said of {miss.name}" if miss.found is None else miss.condition
        for each in decision.missed
        for miss in each.misses
    )
    counts["dominated"] = len(decision.dominated)
    return {reason: count for reason, count in counts.most_common() if count}


def families(decision: Decision) -> tuple[Family, ...]:
    """The families that the candidates belong to, those with the most of the best first."""
    best = [each.candidate for each in decision.best]
    fitting = [*best, *(each.candidate for each in decision.dominated)]
    fitting += [each.candidate for each in decision.silent]
    groups: dict[tuple[str | None, tuple[str, ...]], list[Candidate]] = {}
    for each in (*fitting, *(other.candidate for other in decision.missed)):
        groups.setdefault((each.algorithm, each.datasets), []).append(each)
    fits, wins = (Counter((c.algorithm, c.datasets) for c in some) for some in (fitting, best))
    found = [
        Family(*key, len({m.package for m in members}), len(members), fits[key], wins[key])
        for key, members in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.best, -each.fitting, each.algorithm or "")))


def _ranked(
    fitting: Sequence[Candidate], chosen: Sequence[Objective]
) -> tuple[list[Best], list[Dominated], list[Silent]]:
    values = [tuple(objective.of(each) for objective in chosen) for each in fitting]
    signs = [1 if each.goal == "minimize" else -1 for each in chosen]
    points = [
        tuple(None if v is None else v * s for v, s in zip(row, signs, strict=True))
        for row in values
    ]
    found = front(points)
    known = [tuple(value for value in row if value is not None) for row in values]
    best = sorted(found.best, key=lambda index: [value or 0.0 for value in points[index]])
    dominated = [
        Dominated(fitting[index], known[index], fitting[other], known[other])
        for index, other in found.dominated.items()
    ]
    silent = [
        Silent(
            fitting[index],
            tuple(o.name for o, v in zip(chosen, values[index], strict=True) if v is None),
        )
        for index in found.incomplete
    ]
    return [Best(fitting[index], known[index]) for index in best], dominated, silent


def _miss(condition: Condition, candidate: Candidate) -> Miss:
    found = candidate.known.get(condition.name)
    number = candidate.number(condition.name, least=condition.operator in (">", ">="))
    gap = 1.0
    if number is not None and isinstance(condition.value, int | float):
        gap = _gap(number, float(condition.value)) if condition.operator != "!=" else 1.0
    return Miss(condition.name, condition.operator, condition.text, found, gap)


def _gap(one: float, other: float) -> float:
    """How far two numbers are apart, as a part of both: 0 to 1."""
    whole = abs(one) + abs(other)
    return abs(one - other) / whole if whole else 0.0


def _relaxed(out: Sequence[Missed]) -> Relaxed | None:
    """The one condition that stands alone between the most candidates and a choice."""
    alone = [each for each in out if len(each.misses) == 1]
    counts = Counter(each.misses[0].condition for each in alone)
    if not counts:
        return None
    condition, count = counts.most_common(1)[0]
    nearest_one = min(
        (each.misses[0] for each in alone if each.misses[0].condition == condition),
        key=lambda miss: (miss.found is None, miss.gap),
    )
    return Relaxed(condition, count, nearest_one.found)


def _notes(chosen: Sequence[Objective], fitting: Sequence[Candidate]) -> Iterator[str]:
    """What to know before two numbers are compared."""
    for objective in chosen:
        prefix = f"{objective.name}@"
        on = sorted(
            {
                n.removeprefix(prefix)
                for each in fitting
                for n in each.metrics
                if n.startswith(prefix)
            }
        )
        if len(on) > 1:
            listed = ", ".join(on[:5])
            yield (
                f"{objective.name} was measured on {listed}: "
                f"{prefix}{on[0]} compares like with like"
            )


def _directions(candidates: Sequence[Candidate]) -> dict[str, bool]:
    """Of each metric whether less is better, as most candidates say."""
    votes: Counter[str] = Counter()
    for candidate in candidates:
        for name, lower in candidate.metrics.items():
            votes[name] += 1 if lower else -1
    return {name: count > 0 for name, count in votes.items()}


def _require_known(
    candidates: Sequence[Candidate], conditions: Sequence[Condition], named: Sequence[Objective]
) -> None:
    if len(named) > most_objectives:
        raise UsageError(f"at most {most_objectives} objectives can be weighed", got=len(named))
    if len({each.name for each in named}) < len(named):
        raise UsageError("an objective is named twice", got=", ".join(each.name for each in named))
    for condition in conditions:
        words = [*vocabulary(_VOCABULARIES.get(condition.name, "tasks"))]
        if condition.name in _VOCABULARIES and str(condition.value).lower() not in words:
            raise UsageError(
                f"there is no {condition.name} `{condition.value}`",
                expected=", ".join(words),
                hint=nearest(str(condition.value), words),
            )
    known = known_names(candidates)
    for name in (*(each.name for each in conditions), *(each.name for each in named)):
        if candidates and name not in known and name not in WORDS:
            raise NotFound(
                f"no candidate says anything of `{name}`",
                expected=", ".join(known[:30]),
                hint=nearest(name, [*known, *WORDS]) or "name one of these",
            )
