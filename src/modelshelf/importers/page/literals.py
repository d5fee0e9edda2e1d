"""The literal values that variables of example code have, wherever on the page they get them.

Nothing is run: assignments, f-strings, sums of texts and loops over lists are followed where all of
it is literal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import islice, product
from typing import NamedTuple

from modelshelf.importers.page.example_code import Example, Piece
from modelshelf.importers.page.listed import groups

Literal = str | int | float | bool | None

most_values = 100
longest_text_characters = 300
deepest = 30
most_bits = 62


def dotted(node: ast.expr) -> str:
    """`torch.hub.load` of the syntax tree; empty for anything else than names and dots."""
    names: list[str] = []
    while isinstance(node, ast.Attribute) and len(names) < 5:
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


class Known(NamedTuple):
    """A value that a variable gets somewhere, in which block and line, and whether in a comment."""

    value: object
    block: int
    line: int
    commented: bool


class Scope:
    """The literal values of all variables of a page, and how `hub.load` is called on it."""

    def __init__(self, blocks: Iterable[Example]) -> None:
        self.blocks = list(blocks)
        self.groups = groups(self.blocks)
        self.values: dict[str, list[Known]] = {}
        self.loads = {"hub.load", "torch.hub.load"}
        for block in self.blocks:
            for piece in block.pieces:
                for node in ast.walk(piece.node):
                    self._meet(node, piece, block.number)

    def _meet(self, node: ast.AST, piece: Piece, block: int) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._learn(name, [value], piece, block)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._learn(name, [value], piece, block)
            case ast.For(target=ast.Name(id=name), iter=ast.List(elts=each) | ast.Tuple(elts=each)):
                self._learn(name, each, piece, block)
            case ast.For(target=ast.Name(id=name), iter=ast.Name(id=other)):
                self._repeat(name, other)
            case ast.ImportFrom(module="torch.hub", names=names):
                self.loads |= {each.asname or each.name for each in names if each.name == "load"}
            case ast.ImportFrom(module="torch", names=names):
                self.loads |= {f"{n.asname}.load" for n in names if n.name == "hub" and n.asname}
            case ast.Import(names=names):
                rest = {"torch": ".hub.load", "torch.hub": ".load"}
                self.loads |= {
                    f"{n.asname}{rest[n.name]}" for n in names if n.name in rest and n.asname
                }
            case _:
                pass

    def _learn(self, name: str, given: list[ast.expr], piece: Piece, block: int) -> None:
        for node in given[:most_values]:
            for each in self.evaluated(node):
                known = Known(each, block, piece.at(node), piece.commented)
                self._known(name).append(known)

    def _repeat(self, name: str, other: str) -> None:
        """A loop over a variable: each of its items."""
        for known in list(self.values.get(other, ())):
            values = known.value if isinstance(known.value, list) else []
            self._known(name).extend(known._replace(value=each) for each in values[:most_values])

    def _known(self, name: str) -> list[Known]:
        return self.values.setdefault(name, [])

    def evaluated(self, node: ast.expr, depth: int = 0) -> list[object]:
        """Every value that an expression may have, the one that is written first; none if unknown."""
        if depth > deepest:
            return []
        match node:
            case ast.Constant(value=str() as text):
                return [text[:longest_text_characters]] if text.isprintable() else []
            case ast.Constant(value=int() as value) if value.bit_length() > most_bits:
                return []
            case ast.Constant(value=int() | float() | bool() | None as value):
                return [value]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return [-value]
            case ast.Name(id=name):
                return self._of_variable(name)
            case ast.JoinedStr(values=values):
                parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in values]
                return self._joined(parts, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right], depth)
            case ast.List(elts=values) | ast.Tuple(elts=values):
                inner = [self.evaluated(each, depth + 1) for each in values[:most_values]]
                return [[each[0] for each in inner]] if all(inner) else []
            case _:
                return []

    def _of_variable(self, name: str) -> list[object]:
        """What is said in code goes before what stands in comments."""
        known = sorted(self.values.get(name, [])[:most_values], key=lambda each: each.commented)
        return list(dict.fromkeys(each.value for each in known if isinstance(each.value, Literal)))

    def _joined(self, nodes: list[ast.expr], depth: int) -> list[object]:
        """Texts put together, of every value that their parts may have."""
        parts = [[str(v) for v in self.evaluated(node, depth + 1)][:10] for node in nodes[:10]]
        if not all(parts) or len(nodes) > 10:
            return []
        every = ("".join(each)[:longest_text_characters] for each in product(*parts))
        return list(islice(every, most_values))
