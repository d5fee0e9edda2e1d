"""A trade-off of two numbers as points: axes with round ticks, and a drawing in text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from modelshelf.cli.output import size

MARKS = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What the best points are drawn as, in the order of the table; the sixty-second and on as `*`."""
_LOGARITHMIC_FROM = 20.0
_TINY = 1e-100
_MARGIN = 0.06
_MEMORY = ("bytes", "peak_memory")


class Mark(NamedTuple):
    """One candidate: `number` is its row in the table where it is among the best."""

    x: float
    y: float
    label: str
    number: int | None = None
    fits: bool = True


class Axis(NamedTuple):
    """What one direction shows, from `low` to `high`; logarithmic where the numbers are far apart.

    `goal` is `minimize` or `maximize`; `bound` is what was asked for, in the words of `asked`.
    """

    name: str
    goal: str
    low: float
    high: float
    logarithmic: bool = False
    bound: float | None = None
    asked: str = ""

    def place(self, value: float) -> float:
        """Where `value` lies: 0 at `low`, 1 at `high`."""
        low, high, value = (self._scaled(each) for each in (self.low, self.high, value))
        return (value - low) / (high - low)

    def ticks(self, most: int = 6) -> list[float]:
        """At most `most` round numbers inside, the smallest first, no two written alike."""
        binary = self.name in _MEMORY
        if self.logarithmic:
            found = _powers(self.low, self.high, 2 if binary else 10, most)
        else:
            found = _steps(self.low, self.high, binary, most)
        return [*{self.told(each): each for each in found}.values()]

    def told(self, value: float) -> str:
        """A number as this axis writes it."""
        return told(self.name, value)

    @property
    def title(self) -> str:
        """`bytes (less is better)`."""
        return f"{self.name} ({'less' if self.goal == 'minimize' else 'more'} is better)"

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


class Plot(NamedTuple):
    """The marks between their axes."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]


def axis(name: str, goal: str, values: Sequence[float]) -> Axis:
    """The axis on which all `values` (one at least) fit with a little room."""
    low, high = min(values), max(values)
    if low > _TINY and high / low >= _LOGARITHMIC_FROM:
        room = (high / low) ** _MARGIN
        return Axis(name, goal, low / room, high * room, logarithmic=True)
    room = (high - low) * _MARGIN or abs(high) * 0.1 or 1.0
    return Axis(name, goal, low - room, high + room)


def told(name: str, value: float) -> str:
    """A number for people: bytes with their unit, others with four digits."""
    if name in _MEMORY:
        return size(round(value)).replace(".0 ", " ")
    if name == "macs":
        return _large(value)
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def drawing(plot: Plot, width: int = 64, height: int = 14) -> str:
    """The plot in characters: the best by their number in the table, `.` others, `x` misses."""
    grid = [[" "] * width for _ in range(height)]
    for mark in sorted(plot.marks, key=_rank):
        column = round(plot.x.place(mark.x) * (width - 1))
        row = height - 1 - round(plot.y.place(mark.y) * (height - 1))
        grid[row][column] = _sign(mark)
    rows = {height - 1 - round(plot.y.place(t) * (height - 1)): t for t in plot.y.ticks(5)}
    names = {row: plot.y.told(tick) for row, tick in rows.items()}
    left = max((len(name) for name in names.values()), default=0)
    lines = [plot.y.title]
    for number, cells in enumerate(grid):
        edge = "┤" if number in names else "│"
        lines.append(f"{names.get(number, ''):>{left}} {edge}{''.join(cells).rstrip()}")
    return "\n".join([*lines, *_foot(plot.x, left, width), _legend(plot)])


def _foot(along: Axis, left: int, width: int) -> list[str]:
    """The lower axis with its ticks, and what they mean."""
    line, names = ["─"] * width, [" "] * (width + 12)
    end = -1
    for tick in along.ticks(5):
        column = round(along.place(tick) * (width - 1))
        name = along.told(tick)
        start = max(0, column - len(name) // 2)
        if start <= end or start + len(name) > len(names):
            continue
        line[column] = "┬"
        names[start : start + len(name)] = name
        end = start + len(name)
    indent = " " * (left + 1)
    return [
        f"{indent}└{''.join(line)}",
        f"{indent} {''.join(names).rstrip()}",
        f"{indent}{along.title:>{width}}",
    ]


def _legend(plot: Plot) -> str:
    signs = {_sign(mark) for mark in plot.marks if mark.number is None}
    told_of = {".": ". dominated", "x": "x misses a condition"}
    return ", ".join(["numbers: rows above", *(told_of[s] for s in sorted(signs) if s in told_of)])


def _rank(mark: Mark) -> tuple[int, int]:
    """What is drawn later covers what was before: the best last, the first of them on top."""
    if mark.number is None:
        return (1 if mark.fits else 0), 0
    return 2, -mark.number


def _sign(mark: Mark) -> str:
    if mark.number is None:
        return "." if mark.fits else "x"
    return MARKS[mark.number - 1] if mark.number <= len(MARKS) else "*"


def _steps(low: float, high: float, binary: bool, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten (of two, in memory's units)."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    unit = 1024.0 ** max(0, math.floor(math.log(max(abs(high), 1), 1024))) if binary else 1.0
    power = 10.0 ** math.floor(math.log10(span / unit / most))
    step = next(s for m in (1, 2, 5, 10) if span / (s := m * power * unit) <= most)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [(first + n) * step for n in range(min(count, most + 1))]


def _powers(low: float, high: float, base: int, most: int) -> list[float]:
    """Powers of `base`, every one or every n-th; in steps of 2 and 5 where there are few."""
    first, last = (math.ceil(math.log(low, base)), math.floor(math.log(high, base)))
    every = max(1, math.ceil((last - first + 1) / most))
    found = [float(base) ** n for n in range(first, last + 1, every)]
    if len(found) < 3 and base == 10:
        between = [m * 10.0**n for n in range(first - 1, last + 1) for m in (1, 2, 5)]
        found = [each for each in between if low <= each <= high][:most]
    return found


def _large(value: float) -> str:
    for unit, word in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g} {word}"
    return f"{value:.4g}"
