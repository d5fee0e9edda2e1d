"""Generations of an algorithm: families that differ only in its number (the paper's 5.2.2.4).

Hubs publish a new generation as new packages; whoever uses the old one is not told. `generations`
finds them (`… V1 → V2 → V3`), so that pages and alerts can suggest the step.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from modelshelf.study.families import Family

_GENERATION = re.compile(r"(?P<name>.+?) ?v?(?P<number>\d{1,2}(?:\.\d{1,2})?)")


class Step(NamedTuple):
    """One generation and the family of it."""

    number: float
    family: Family


class Line(NamedTuple):
    """Generations of one algorithm for the same task, data and language, oldest first."""

    algorithm: str
    task: str | None
    dataset: str | None
    language: str | None
    steps: tuple[Step, ...]


def generations(families: Iterable[Family]) -> tuple[Line, ...]:
    """Every line of at least two generations; a name without a number is the first, if another is.

    A bare name beside an explicit `v1` is an algorithm of its own, not a generation. Families of
    which nobody knows the data are in no line: a later design of other data is no upgrade.
    """
    lines: dict[tuple[str | None, ...], dict[float, Family]] = defaultdict(dict)
    bare: list[Family] = []
    for family in families:
        if family.declared or not (family.algorithm and family.dataset):
            continue
        match = _GENERATION.fullmatch(family.algorithm)
        if match is None:
            bare.append(family)
        else:
            lines[_line(match["name"], family)].setdefault(float(match["number"]), family)
    for family in bare:
        key = _line(str(family.algorithm), family)
        if key in lines:
            lines[key].setdefault(1.0, family)
    found = [_ordered(key, numbered) for key, numbered in lines.items() if len(numbered) > 1]
    return tuple(
        sorted(found, key=lambda line: (line.task or "", line.algorithm, line.dataset or ""))
    )


def _line(name: str, family: Family) -> tuple[str | None, ...]:
    return name, family.task, family.dataset, family.language


def _ordered(key: tuple[str | None, ...], numbered: dict[float, Family]) -> Line:
    name, task, dataset, language = key
    steps = tuple(Step(number, numbered[number]) for number in sorted(numbered))
    return Line(str(name), task, dataset, language, steps)


def newer(lines: Iterable[Line], family: Family) -> Family | None:
    """The newest generation after that of `family`; None where it is the newest."""
    for line in lines:
        own = [step.number for step in line.steps if step.family.id == family.id]
        if own and line.steps[-1].number > own[0]:
            return line.steps[-1].family
    return None
