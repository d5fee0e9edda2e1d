"""Symbolic sizes of an exported graph: `2*s0` becomes a named dimension with bounds and a step."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from modelshelf.formats.evaluated import is_size, tree_of
from modelshelf.package.signature import Dimension, Interval

SIZE_LIMIT = 1 << 62
"""A bound from here on means that there is none: exporters write the largest integer they have."""
DEPTH = 50

Bounds = tuple[int | None, int | None]


@dataclass(frozen=True)
class Linear:
    """`factor` times `symbol`, and `offset`; a number has no symbol."""

    factor: int
    symbol: str | None
    offset: int

    def __str__(self) -> str:
        """As a manifest may name a dimension: `2*s0 + 1` is `s0.times2.plus1`."""
        times = f".times{self.factor}" if self.factor != 1 else ""
        sign = "plus" if self.offset > 0 else "minus"
        more = f".{sign}{abs(self.offset)}" if self.offset else ""
        return f"{self.symbol}{times}{more}"


class Sizes:
    """Dimensions from expressions; gathers the bounds of those it named, and what it cannot say."""

    def __init__(self, ranges: Mapping[str, Bounds]) -> None:
        self._ranges = ranges
        self.symbols: dict[str, Interval] = {}
        self.unnamed: dict[str, None] = {}
        self.evaluated: dict[str, None] = {}

    def dimension(self, expression: str) -> Dimension:
        """A number, a name whose bounds are in `symbols`, or None where it is not linear.

        An expression that would do more than arithmetic when it is evaluated goes to `evaluated`.
        """
        tree = self.checked(expression)
        if tree is None:
            return None
        size = linear(tree)
        if size is None:
            self.unnamed.setdefault(_plain(tree))
            return None
        if size.symbol is None:
            return size.offset if 0 <= size.offset < SIZE_LIMIT else None
        return self._named(size)

    def checked(self, expression: str) -> ast.expr | None:
        """The expression's tree; None where it is no arithmetic, which is then in `evaluated`."""
        tree = tree_of(expression)
        if tree is None or not is_size(tree):
            self.evaluated.setdefault(expression[:200])
            return None
        return tree

    def _named(self, size: Linear) -> Dimension:
        low, high = self._ranges.get(str(size.symbol), (None, None))
        bounded = high is not None and high < SIZE_LIMIT
        least = size.factor * max(low or 0, 0) + size.offset
        most = size.factor * high + size.offset if bounded and high is not None else None
        if size.factor < 1 or least < 0:
            self.unnamed.setdefault(str(size))
            return None
        if (least, most, size.factor) != (0, None, 1):
            self.symbols[str(size)] = Interval(least, most, size.factor)
        return str(size)


def linear(tree: ast.expr, depth: int = DEPTH) -> Linear | None:
    """The expression as a multiple of one symbol and an offset; None where it is something else."""
    if depth == 0:
        return None
    match tree:
        case ast.Constant(value=int() as number):
            return Linear(0, None, int(number))
        case ast.Name(id=name):
            return Linear(1, name, 0)
        case ast.Call(func=ast.Name(id="Integer"), args=[argument]):
            return linear(argument, depth - 1)
        case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str() as name), *_]):
            return Linear(1, name, 0)
        case ast.Call(func=ast.Name(id="Add" | "Mul" as word), args=[_, *_] as parts):
            return _folded(word, [linear(part, depth - 1) for part in parts])
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() as operator, right=right):
            word = "Add" if isinstance(operator, ast.Add) else "Mul"
            return _folded(word, [linear(left, depth - 1), linear(right, depth - 1)])
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _folded("Add", [linear(left, depth - 1), _negated(linear(right, depth - 1))])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _negated(linear(operand, depth - 1))
    return None


def _folded(word: str, parts: list[Linear | None]) -> Linear | None:
    total: Linear | None = parts[0]
    for part in parts[1:]:
        if total is None or part is None:
            return None
        total = _sum(total, part) if word == "Add" else _product(total, part)
        if total is not None and max(abs(total.factor), abs(total.offset)) > SIZE_LIMIT:
            return None
    return total


def _sum(one: Linear, other: Linear) -> Linear | None:
    if one.symbol and other.symbol and one.symbol != other.symbol:
        return None
    factor = one.factor + other.factor
    symbol = (one.symbol or other.symbol) if factor else None
    return Linear(factor, symbol, one.offset + other.offset)


def _product(one: Linear, other: Linear) -> Linear | None:
    if one.symbol and other.symbol:
        return None
    number, rest = (one, other) if one.symbol is None else (other, one)
    factor = rest.factor * number.offset
    return Linear(factor, rest.symbol if factor else None, rest.offset * number.offset)


def _negated(size: Linear | None) -> Linear | None:
    return None if size is None else Linear(-size.factor, size.symbol, -size.offset)


def _plain(tree: ast.expr) -> str:
    """The expression as a note shows it: without the assumptions of its symbols."""
    words = ast.unparse(tree)
    for assumption in (", positive=True", ", integer=True", ", nonnegative=True"):
        words = words.replace(assumption, "")
    return words[:200]
